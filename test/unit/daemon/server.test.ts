import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Option, Queue, type Scope, Stream } from "effect"
import { ChannelFailed, type PyroError } from "../../../src/contract/errors/errors.ts"
import { callFromPull, type PullEvents } from "../../../src/contract/rows/event-batches.ts"
import type { RunInput } from "../../../src/contract/rows/run-input.ts"
import { type AttachEvent, workspaceShellAttach } from "../../../src/contract/rows/workspace-attach.ts"
import { INPUT_HEADER, WINDOW_EVENTS } from "../../../src/contract/wire/rpcs.ts"
import { ConnectionLost, type RequestFailure } from "../../../src/sdk/connection/failures.ts"
import type { Connection } from "../../../src/sdk/connection/over.ts"
import { newRequestId } from "../../../src/system/processes/identity.ts"
import { serveAndConnect } from "../../support/daemon/served-pyro.ts"
import { eventsOf } from "../../support/daemon/served-pyro.ts"
import { unfakedPyro } from "../../support/daemon/unfaked-pyro.ts"
import { lapse, until } from "../../support/until.ts"

const output = (...bytes: ReadonlyArray<number>): AttachEvent => ({ _tag: "Output", bytes: Uint8Array.from(bytes) })

type Attach = (input: RunInput | undefined) => Effect.Effect<PullEvents<AttachEvent>, PyroError, Scope.Scope>

/** A daemon with one operation, which `attach` makes, and a client of it. */
const served = (attach: Attach) =>
  serveAndConnect(
    {
      ...unfakedPyro,
      workspace: {
        ...unfakedPyro.workspace,
        shell: {
          ...unfakedPyro.workspace.shell,
          attach: callFromPull((_: unknown, input) => attach(input))
        }
      }
    } as typeof unfakedPyro
  )

const attached = (client: Connection, inputId?: string) =>
  eventsOf(
    client,
    workspaceShellAttach,
    { workspace: "w", shellId: "s", detachKey: "none", raw: false },
    inputId === undefined ? {} : { [INPUT_HEADER]: inputId }
  ) as Stream.Stream<AttachEvent, RequestFailure>

/** One event at once, and the rest as it comes. */
const begun = (rest: Effect.Effect<AttachEvent, Option.Option<PyroError>>): PullEvents<AttachEvent> => {
  let hasBegun = false
  return (waitMs) =>
    Effect.suspend(() => {
      if (hasBegun) return waitMs === undefined ? Effect.map(rest, (event) => [event]) : Effect.succeed([])
      hasBegun = true
      return Effect.succeed<ReadonlyArray<AttachEvent>>([{ _tag: "Attached", shellId: "s", screen: "" }])
    })
}

/** Gives each typed byte as output. */
const echoing = (refuses: (key: number) => boolean): Attach => (input) =>
  Effect.sync(() => {
    const typed = Effect.runSync(Queue.unbounded<Uint8Array>())
    const echo = (bytes: Uint8Array) => Queue.offerUnsafe(typed, Uint8Array.from(bytes))
    Effect.runFork(input!.writeStdin!({
      tryWrite: (bytes) => !refuses(bytes[0]!) && echo(bytes),
      write: (bytes) => Effect.delay(Effect.sync(() => void echo(bytes)), 5)
    }))
    return begun(Effect.map(Queue.take(typed), (bytes) => output(...bytes)))
  })

const bytesOf = (events: Iterable<AttachEvent>) =>
  [...events].flatMap((event) => event._tag === "Output" ? [...event.bytes] : [])

describe("keys of a client", () => {
  const keysArrive = (refuses: (key: number) => boolean) =>
    Effect.gen(function*() {
      const { client } = yield* served(echoing(refuses))
      const id = newRequestId()
      const keys = Array.from({ length: 30 }, (_, key) => key)
      const events = yield* Effect.forkChild(
        Stream.runCollect(Stream.take(attached(client, id), 1 + keys.length))
      )
      yield* Effect.forEach(keys, (key) => client.input(id).write(key, Uint8Array.of(key)))
      assert.deepStrictEqual(bytesOf(yield* Fiber.join(events)), keys)
    })

  it.live("keys arrive in order if the shell takes each at once", () => keysArrive(() => false))

  it.live("keys arrive in order if some of them have to wait", () => keysArrive((key) => key % 3 === 0))
})

describe("events of a client", () => {
  it.live("the daemon pulls no further events while the client takes none, and goes on when it takes some", () =>
    Effect.gen(function*() {
      let pulled = 0
      const waits = yield* Deferred.make<void>()
      const { client } = yield* served(() => Effect.succeed(begun(Effect.sync(() => output(pulled++ % 256)))))
      let taken = 0
      yield* Effect.forkChild(
        Stream.runForEach(
          attached(client),
          () => Effect.suspend(() => ++taken > 1 ? Deferred.await(waits) : Effect.void)
        )
      )
      // Another answer shows that the daemon has had its turn.
      for (let turn = 0; turn < 20; turn++) yield* Effect.exit(client.ask("workspace.list", { labels: {} }))
      assert.isAbove(pulled, WINDOW_EVENTS / 2)
      assert.isAtMost(pulled, 4 * WINDOW_EVENTS)
      const before = pulled
      yield* Deferred.succeed(waits, undefined)
      yield* until(() => pulled >= before + 10 * WINDOW_EVENTS)
      assert.isAtLeast(taken, before)
    }))

  it.live("a failure of the operation arrives as its error, after its events", () =>
    Effect.gen(function*() {
      const failure: PyroError = new ChannelFailed({ detail: "gone" })
      const { client } = yield* served(() => Effect.succeed(begun(Effect.fail(Option.some(failure)))))
      const seen: Array<string> = []
      const failed = yield* Effect.flip(
        Stream.runForEach(attached(client), ({ _tag }) => Effect.sync(() => seen.push(_tag)))
      )
      assert.instanceOf(failed, ChannelFailed)
      assert.deepStrictEqual(seen, ["Attached"])
    }))

  it.live("the end of the operation ends its events", () =>
    Effect.gen(function*() {
      const { client } = yield* served(() => Effect.succeed(begun(Effect.fail(Option.none()))))
      assert.strictEqual((yield* Stream.runCollect(attached(client))).length, 1)
    }))

  it.live("the end of the daemon is a lost connection", () =>
    Effect.gen(function*() {
      const began = yield* Deferred.make<void>()
      const { client, stop } = yield* served(() =>
        Effect.succeed(begun(Effect.andThen(Deferred.succeed(began, undefined), Effect.never)))
      )
      const waiting = yield* Effect.forkChild(Effect.flip(Stream.runDrain(attached(client))))
      yield* Deferred.await(began)
      yield* stop
      assert.instanceOf(yield* Fiber.join(waiting), ConnectionLost)
    }))
})

describe("a caller that leaves its operation", () => {
  /** An end that takes its time. */
  const slow = Effect.gen(function*() {
    const state = { ended: false }
    const mayEnd = yield* Deferred.make<void>()
    const ending = yield* Deferred.make<void>()
    const untilEnd = Deferred.succeed(ending, undefined).pipe(
      Effect.andThen(Deferred.await(mayEnd)),
      Effect.andThen(Effect.sync(() => void (state.ended = true)))
    )
    return { ending: Deferred.await(ending), mayEnd: Deferred.succeed(mayEnd, undefined), state, untilEnd }
  })

  /** An operation that tells one event, then nothing for ever. */
  const endless = Effect.map(slow, ({ untilEnd, ...rest }) => {
    const attach = (starts: Effect.Effect<void>): Attach => () =>
      Effect.gen(function*() {
        yield* Effect.addFinalizer(() => untilEnd)
        yield* starts
        return begun(Effect.never)
      })
    return { attach, ...rest }
  })

  /** Interrupts the caller once `ready`, and looks whether it waits for the end of its operation. */
  const leaves = (starts: (started: Effect.Effect<unknown>) => Effect.Effect<void>, isStarting: boolean) =>
    Effect.gen(function*() {
      const { attach, ending, mayEnd, state } = yield* endless
      const started = yield* Deferred.make<void>()
      const { client } = yield* served(attach(starts(Deferred.succeed(started, undefined))))
      const events = Stream.runForEach(
        attached(client),
        () => isStarting ? Effect.void : Deferred.succeed(started, undefined)
      )
      const caller = yield* Effect.forkChild(events)
      yield* Deferred.await(started)
      const leaving = yield* Effect.forkChild(Fiber.interrupt(caller))
      yield* ending
      // The connection carries other requests, and the caller waits.
      yield* Effect.exit(client.ask("workspace.list", { labels: {} }))
      assert.isUndefined(leaving.pollUnsafe())
      yield* mayEnd
      yield* Fiber.join(leaving)
      assert.isTrue(state.ended)
    })

  it.live("a caller goes on when its operation is over", () => leaves(() => Effect.void, false))

  it.live("a caller goes on when an operation is over that was still starting", () =>
    leaves((started) => Effect.andThen(started, Effect.never), true))

  it.live("a caller that took the last event does not wait", () =>
    Effect.gen(function*() {
      const { client } = yield* served(() => Effect.succeed(begun(Effect.fail(Option.none()))))
      yield* Stream.runDrain(attached(client)).pipe(Effect.timeout("2 seconds"))
    }))

  it.live("an operation that ended at once is released after its answer, and at the latest with its daemon", () =>
    Effect.gen(function*() {
      const { ending, mayEnd, state, untilEnd } = yield* slow
      const { client, stop } = yield* served(() => {
        let pulls = 0
        const pull = Effect.suspend(() => ++pulls === 1 ? Effect.succeed([output(1)]) : Effect.fail(Option.none()))
        return Effect.as(Effect.addFinalizer(() => untilEnd), () => pull)
      })
      assert.deepStrictEqual(bytesOf(yield* Stream.runCollect(attached(client))), [1])
      assert.isFalse(state.ended)
      yield* ending
      const stopping = yield* Effect.forkChild(stop, { startImmediately: true })
      yield* lapse(20)
      assert.isUndefined(stopping.pollUnsafe())
      yield* mayEnd
      yield* Fiber.join(stopping)
      assert.isTrue(state.ended)
    }))
})
