import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import type { Operation } from "../../../src/contract/rows/operations.ts"
import type { PyroService } from "../../../src/contract/rows/Pyro.ts"
import type { RunInput } from "../../../src/contract/rows/run-input.ts"
import { run as runRow, type RunEvent } from "../../../src/contract/rows/run.ts"
import { workspaceExec } from "../../../src/contract/rows/workspace-exec.ts"
import { streaming } from "../../../src/sdk/calls.ts"
import type { Session } from "../../../src/sdk/connection/session.ts"
import { makeExec } from "../../../src/sdk/exec.ts"
import { payloadOf } from "../../../src/sdk/model/options.ts"
import { serveAndConnect } from "../../support/daemon/served-pyro.ts"
import { unfakedPyro } from "../../support/daemon/unfaked-pyro.ts"

const EXITED: RunEvent = {
  _tag: "Exited",
  outcome: "exited",
  status: 0,
  durations: { totalMs: 2, bootMs: 1, commandMs: 1 }
}

/** What of an input reaches the daemon's operation, for an input that a client gives. */
const reaches = (name: "run" | "exec", given: RunInput) =>
  Effect.gen(function*() {
    const seen: Array<string> = []
    const note = (input: RunInput | undefined) =>
      Stream.sync((): RunEvent => {
        for (const part of ["stdin", "writeStdin", "resizes", "interrupt"] as const) {
          if (input?.[part] !== undefined) seen.push(part)
        }
        return EXITED
      })
    const service = {
      ...unfakedPyro,
      run: (_: unknown, input?: RunInput) => note(input),
      workspace: { ...unfakedPyro.workspace, exec: (_: unknown, input?: RunInput) => note(input) }
    } as unknown as PyroService
    const { client } = yield* serveAndConnect(service)
    const session: Session = { connection: Effect.succeed(client), failed: (_, failure) => Effect.succeed(failure) }
    const call = name === "run" ? streaming(session, runRow as never) : makeExec(session, workspaceExec as never)
    const options = { command: ["cat"], ...(name === "run" ? { environment: "debian:12" } : { workspace: "fix" }) }
    const payload = yield* payloadOf((name === "run" ? runRow : workspaceExec) as Operation, options)
    yield* Effect.exit(
      Stream.runDrain((call as (payload: unknown, input: RunInput) => Stream.Stream<unknown>)(payload, given))
    )
    return seen
  }).pipe(Effect.scoped)

describe("the stdin of a command whose caller gives none", () => {
  for (const name of ["run", "exec"] as const) {
    it.live(`${name}: a caller with window sizes or signals alone gives the command no stdin that stays open`, () =>
      Effect.gen(function*() {
        const seen = yield* reaches(name, { resizes: Stream.never, interrupt: Effect.never })
        assert.deepStrictEqual(seen, ["resizes", "interrupt"])
      }))

    it.live(`${name}: a caller with a stdin gives it to the command`, () =>
      Effect.gen(function*() {
        const seen = yield* reaches(name, { stdin: Stream.empty, interrupt: Effect.never })
        assert.deepStrictEqual(seen, ["stdin", "writeStdin", "resizes", "interrupt"])
      }))
  }
})
