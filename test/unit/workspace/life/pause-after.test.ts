import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { callerProject } from "../../../../src/contract/wire/caller-project.ts"
import { isKeptAlive } from "../../../../src/contract/wire/keep-alive.ts"
import { ProcessVariables } from "../../../../src/system/settings/config.ts"
import { pauseOfNew } from "../../../../src/workspace/life/verbs/pause-after.ts"

interface Asked {
  readonly request?: number
  readonly origin?: number
  readonly configured?: string
  readonly byAgent?: true
  readonly byHandle?: boolean
}

const secondsOf = ({ byAgent, byHandle = false, configured, origin, request }: Asked) =>
  pauseOfNew(
    request === undefined ? {} : { pauseAfterSeconds: request },
    origin === undefined ? {} : { pauseAfterSeconds: origin }
  ).pipe(
    Effect.provideService(ProcessVariables, configured === undefined ? {} : { PYRO_PAUSE_AFTER_SECONDS: configured }),
    Effect.provideService(callerProject, byAgent === undefined ? undefined : { project: "/p", all: false }),
    Effect.provideService(isKeptAlive, byHandle),
    Effect.map(({ pauseAfterSeconds }) => pauseAfterSeconds)
  )

const cases: ReadonlyArray<readonly [title: string, asked: Asked, seconds: number | undefined]> = [
  ["a workspace of a person is never paused", {}, undefined],
  ["a workspace of an agent host is paused after an hour", { byAgent: true }, 3_600],
  ["a workspace of a program's handle is paused ten minutes after its last sign", { byHandle: true }, 600],
  ["the configuration holds for a handle's", { byHandle: true, configured: "60" }, 60],
  ["the configuration 0 turns the pause off for a handle's", { byHandle: true, configured: "0" }, undefined],
  ["a handle's workspace from a saved snapshot has the time of its origin", { byHandle: true, origin: 30 }, 30],
  ["the configuration holds for both kinds", { byAgent: true, configured: "60" }, 60],
  ["the configuration 0 turns the pause off for agent hosts", { byAgent: true, configured: "0" }, undefined],
  ["a workspace from a saved snapshot has the time of its origin", { origin: 30, configured: "60" }, 30],
  ["the request wins", { request: 10, origin: 30, configured: "60", byAgent: true }, 10],
  ["the request 0 turns the pause off", { request: 0, origin: 30, configured: "60", byAgent: true }, undefined]
]

describe("the time without a use until a new workspace is paused", () => {
  for (const [title, asked, seconds] of cases) {
    it.effect(title, () => Effect.map(secondsOf(asked), (found) => assert.strictEqual(found, seconds)))
  }
})
