import { Cause, Deferred, Effect, Exit } from "effect"
import { assert, it } from "vitest"
import type { CommandEnd } from "../../../../../src/workspace/residents/exec/journal.ts"
import { followRun } from "../../../../../src/workspace/residents/service/run.ts"
import { makeLive, type Services } from "../../../../../src/workspace/residents/service/services.ts"
import { lapsed } from "../../../../support/until.ts"

it("the supervisor of a service that a reset removes ends with a typed error", async () => {
  const end = Deferred.makeUnsafe<CommandEnd>()
  let isThere = true
  // Only what followRun reads of a service without a check.
  const services = {
    folder: "/state/workspaces/ws-1",
    live: new Map(),
    get: () => isThere ? { options: {}, readyMs: undefined, runs: [{ execId: "e1" }] } : undefined,
    change: () => Effect.void,
    record: () => Effect.void,
    commands: { running: new Map([["e1", { end, isEnding: false }]]), journal: new Map() }
  } as unknown as Services
  const following = Effect.runPromiseExit(followRun(services, {} as never, makeLive("web")))
  await lapsed(20)
  isThere = false
  Deferred.doneUnsafe(end, Effect.succeed({ outcome: "lost" } as unknown as CommandEnd))
  const exit = await following
  assert.isTrue(Exit.isFailure(exit) && !Cause.hasDies(exit.cause))
})
