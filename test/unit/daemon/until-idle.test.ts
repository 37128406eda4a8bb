import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { Pyro, type PyroService } from "../../../src/contract/rows/Pyro.ts"
import { makeRequestTracker } from "../../../src/daemon/request-tracker.ts"
import { untilIdle } from "../../../src/daemon/until-idle.ts"
import { RETIRE_SIGNAL } from "../../../src/system/processes/identity.ts"
import { unfakedPyro } from "../../support/unfaked-pyro.ts"

const retire = Effect.sync(() => void process.kill(process.pid, RETIRE_SIGNAL))

/** Waits in a daemon whose idle time is ten minutes. `looks` counts how often it has looked at its workspaces. */
const waiting = (states: () => ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const seen = { looks: 0, closed: false }
    const list = () =>
      Effect.sync(() => {
        seen.looks++
        return { workspaces: states().map((state) => ({ state })) }
      })
    const pyro = { ...unfakedPyro, workspace: { ...unfakedPyro.workspace, list } } as unknown as PyroService
    const requests = yield* makeRequestTracker
    const fiber = yield* untilIdle(requests, Effect.sync(() => void (seen.closed = true))).pipe(
      Effect.provide(Layer.succeed(Pyro, pyro)),
      Effect.forkScoped({ startImmediately: true })
    )
    yield* Effect.sleep(100)
    return { fiber, requests, seen }
  })

describe("a daemon with nothing to do", () => {
  it.live("it leaves at once when somebody asks and nothing is held", () =>
    Effect.gen(function*() {
      const { fiber, seen } = yield* waiting(() => ["stopped", "failed"])
      assert.isFalse(seen.closed)
      yield* retire
      yield* Fiber.join(fiber).pipe(Effect.timeout("5 seconds"))
      assert.isTrue(seen.closed)
    }))

  it.live("it stays when somebody asks and a workspace runs, also when that stops later", () =>
    Effect.gen(function*() {
      let state = "running"
      const { fiber, seen } = yield* waiting(() => [state])
      yield* retire
      yield* Effect.sleep(200)
      state = "stopped"
      yield* Effect.sleep(200)
      assert.isUndefined(fiber.pollUnsafe())
      assert.isFalse(seen.closed)
    }))

  it.live("it stays for a request that runs, and hardly looks at its workspaces", () =>
    Effect.gen(function*() {
      const { fiber, requests, seen } = yield* waiting(() => [])
      yield* Effect.scoped(Effect.gen(function*() {
        yield* requests.track
        yield* retire
        yield* Effect.sleep(300)
        assert.isUndefined(fiber.pollUnsafe())
      }))
      assert.isAtMost(seen.looks, 3)
      yield* retire
      yield* Fiber.join(fiber).pipe(Effect.timeout("5 seconds"))
    }))
})
