import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Pyro, type PyroService } from "../../../src/contract/rows/Pyro.ts"
import { makeRequestTracker } from "../../../src/daemon/server/request-tracker.ts"
import { untilIdle } from "../../../src/daemon/until-idle.ts"
import { RETIRE_SIGNAL } from "../../../src/system/processes/identity.ts"
import { ProcessVariables } from "../../../src/system/settings/config.ts"
import { unfakedPyro } from "../../support/daemon/unfaked-pyro.ts"
import { lapse } from "../../support/until.ts"

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
    return { fiber, requests, seen }
  })

/** The same, after its first looks. */
const begun = (states: () => ReadonlyArray<string>) => Effect.tap(waiting(states), () => lapse(100))

describe("a daemon with nothing to do", () => {
  it.live("the daemon leaves at once when a client asks and nothing is held", () =>
    Effect.gen(function*() {
      const { fiber, seen } = yield* begun(() => ["stopped", "failed"])
      assert.isFalse(seen.closed)
      yield* retire
      yield* Fiber.join(fiber).pipe(Effect.timeout("5 seconds"))
      assert.isTrue(seen.closed)
    }))

  it.live("the daemon stays when a client asks and a workspace runs, also when the workspace stops later", () =>
    Effect.gen(function*() {
      let state = "running"
      const { fiber, seen } = yield* begun(() => [state])
      yield* retire
      yield* lapse(200)
      state = "stopped"
      yield* lapse(200)
      assert.isUndefined(fiber.pollUnsafe())
      assert.isFalse(seen.closed)
    }))

  it.live("the daemon stays for a page that looks, but not when a client asks it to leave", () =>
    Effect.gen(function*() {
      const { fiber, requests, seen } = yield* begun(() => []).pipe(
        Effect.provideService(ProcessVariables, { PYRO_DAEMON_IDLE_MS: "100" })
      )
      yield* Effect.scoped(Effect.gen(function*() {
        yield* requests.trackReader
        yield* lapse(500)
        assert.isUndefined(fiber.pollUnsafe())
        yield* retire
        yield* Fiber.join(fiber).pipe(Effect.timeout("5 seconds"))
        assert.isTrue(seen.closed)
      }))
    }))

  it.live("it stays for a request that runs, and hardly looks at its workspaces", () =>
    Effect.gen(function*() {
      const { fiber, requests, seen } = yield* begun(() => [])
      yield* Effect.scoped(Effect.gen(function*() {
        yield* requests.track
        yield* retire
        yield* lapse(300)
        assert.isUndefined(fiber.pollUnsafe())
      }))
      assert.isAtMost(seen.looks, 3)
      yield* retire
      yield* Fiber.join(fiber).pipe(Effect.timeout("5 seconds"))
    }))

  it.effect("it waits for the first request of the client that started it, and then its idle time", () =>
    Effect.gen(function*() {
      const { fiber, requests } = yield* waiting(() => [])
      yield* TestClock.adjust("8 seconds")
      assert.isUndefined(fiber.pollUnsafe())
      yield* Effect.scoped(requests.track)
      yield* TestClock.adjust("1 second")
      assert.isDefined(fiber.pollUnsafe())
    }).pipe(Effect.provideService(ProcessVariables, { PYRO_DAEMON_IDLE_MS: "200" })))

  it.effect("it leaves when the client that started it never comes", () =>
    Effect.gen(function*() {
      const { fiber } = yield* waiting(() => [])
      yield* TestClock.adjust("1 hour")
      assert.isDefined(fiber.pollUnsafe())
    }).pipe(Effect.provideService(ProcessVariables, { PYRO_DAEMON_IDLE_MS: "200" })))
})
