import { afterAll, afterEach, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope, Stream } from "effect"
import { payloadOf } from "../../src/contract/rows/payload-of.ts"
import type { PyroService } from "../../src/contract/rows/Pyro.ts"
import { newRequestId } from "../../src/system/processes/identity.ts"
import { remoteClient } from "../support/daemon/served-pyro.ts"
import { openRemoteInstallation, outputOf, type RemoteInstallation } from "../support/lifecycle/remote-installation.ts"
import { until, untilTrue } from "../support/until.ts"
import { sanitizedBuild } from "./agent.ts"

let on: RemoteInstallation

beforeAll(async () => {
  on = await openRemoteInstallation(sanitizedBuild)
  await Effect.runPromise(on.create("fix"))
}, 120_000)
afterAll(() => on.close())
afterEach(() => Effect.runPromise(on.line.away(false)))

const direct = (script: string) => outputOf(on.pyro, "fix", script)

/** A command that says that it runs, and goes on. */
const startLong = (pyro: PyroService) =>
  Effect.gen(function*() {
    const execId = newRequestId()
    const script = `echo x >> /tmp/ran-${execId}; echo on; exec sleep 1000`
    let shown = ""
    const fiber = yield* Effect.forkChild(
      Stream.runForEach(
        pyro.workspace.exec(payloadOf("workspace.exec", { workspace: "fix", execId, command: ["sh", "-ec", script] })),
        (event) => Effect.sync(() => void (shown += event._tag === "Output" ? Buffer.from(event.bytes).toString() : ""))
      )
    )
    yield* until(() => shown === "on\n")
    return { execId, fiber }
  })

const isRunning = (execId: string) =>
  Effect.map(
    on.pyro.workspace.status(payloadOf("workspace.status", { workspace: "fix" })),
    ({ running }) => running?.some((one) => one.execId === execId) === true
  )

/** Waits for the end of the command, and that nothing of the request is left. */
const isGone = (execId: string) =>
  Effect.gen(function*() {
    yield* Effect.promise(() => untilTrue(() => Effect.runPromise(Effect.map(isRunning(execId), (is) => !is))))
    yield* until(() => on.requests.idleSinceMs() !== undefined)
    assert.strictEqual(yield* direct(`wc -l < /tmp/ran-${execId}`), "1")
  })

describe("a client without a line", () => {
  it.live(
    "learns after its patience what became of its command, which ends after its hold",
    () =>
      Effect.gen(function*() {
        const pyro = yield* remoteClient(on.line.path, { patienceMs: 300, holdSeconds: 2 })
        const { execId, fiber } = yield* startLong(pyro)
        yield* on.line.away(true)
        yield* on.line.cut
        const failure = yield* Effect.flip(Fiber.join(fiber))
        assert.strictEqual(failure._tag, "DaemonUnavailable")
        assert.include(
          failure.message,
          `no other one could be made in time. The daemon ends the command ${execId} soon`
        )
        assert.isTrue(yield* isRunning(execId))
        yield* isGone(execId)
        yield* on.line.away(false)
      }),
    60_000
  )

  it.live("that never comes back leaves nothing after its hold", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const pyro = yield* Scope.provide(remoteClient(on.line.path, { holdSeconds: 1 }), scope)
      const { execId, fiber } = yield* startLong(pyro)
      yield* on.line.away(true)
      yield* on.line.cut
      yield* Scope.close(scope, Exit.void)
      yield* Fiber.interrupt(fiber)
      yield* isGone(execId)
    }), 60_000)

  it.live("ends its command with the next line, if it interrupts the command meanwhile", () =>
    Effect.gen(function*() {
      const pyro = yield* remoteClient(on.line.path)
      const { execId, fiber } = yield* startLong(pyro)
      yield* on.line.away(true)
      yield* on.line.cut
      yield* Fiber.interrupt(fiber)
      assert.isTrue(yield* isRunning(execId))
      // Nothing else asks for a line.
      yield* on.line.away(false)
      yield* isGone(execId)
    }), 60_000)

  it.live(
    "ends its command, if it interrupts the command at the moment of the loss or of the next line",
    () =>
      Effect.gen(function*() {
        const pyro = yield* remoteClient(on.line.path)
        for (const connections of [0, 1]) {
          const { execId, fiber } = yield* startLong(pyro)
          const before = on.line.count.connections
          yield* on.line.cut
          yield* until(() => on.line.count.connections >= before + connections)
          yield* Fiber.interrupt(fiber)
          yield* isGone(execId)
        }
      }),
    60_000
  )

  it.live(
    "ends its command at once, if it interrupts the command over a line that holds",
    () =>
      Effect.gen(function*() {
        const pyro = yield* remoteClient(on.line.path)
        const { execId, fiber } = yield* startLong(pyro)
        yield* Fiber.interrupt(fiber)
        assert.isFalse(yield* isRunning(execId))
        yield* isGone(execId)
      }),
    60_000
  )
})
