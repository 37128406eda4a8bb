import { Array as Arr, Cause, Deferred, Effect, Exit, Option, Pull, Scope } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import {
  type PullEvents,
  pullFromStream,
  type PullOperation,
  type StreamingCall
} from "../../contract/rows/event-batches.ts"
import { callOf, type PyroService } from "../../contract/rows/Pyro.ts"
import { type StreamingRow, WINDOW_EVENTS } from "../../contract/wire/rpcs.ts"
import { acquirePlain } from "../../system/waits/effects.ts"
import { type AnyEvent, outputBytes } from "../calls/request/observe.ts"

/** The number of events that a client still takes. A batch may take the window below zero. */
class Window {
  #free = WINDOW_EVENTS
  #waiting: Deferred.Deferred<void> | undefined
  /** Hears of the events that the client has taken. */
  onGive: ((events: number) => void) | undefined

  /** Waits until the client takes events. */
  take(events: number): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.#free <= 0) {
        return Effect.andThen(Deferred.await(this.#waiting ??= Deferred.makeUnsafe()), this.take(events))
      }
      this.#free -= events
      return Effect.void
    })
  }

  give(events: number) {
    this.#free += events
    this.onGive?.(events)
    const waiting = this.#waiting
    if (this.#free <= 0 || waiting === undefined) return
    this.#waiting = undefined
    Deferred.doneUnsafe(waiting, Effect.void)
  }
}

/** Windows of the clients' operations. A slow reader delays its own operation only. Clients of different sockets may have the same number. */
export const makeWindows = () => {
  const open = new WeakMap<object, Map<string, Window>>()
  return {
    /** The window of a request of a client, until the Scope closes. */
    open: (client: object, request: string): Effect.Effect<Window, never, Scope.Scope> => {
      const own = open.get(client) ?? new Map<string, Window>()
      open.set(client, own)
      return acquirePlain(
        Effect.sync(() => {
          const made = new Window()
          own.set(request, made)
          return made
        }),
        () => own.delete(request)
      )
    },
    /** The client of a request has taken events. */
    give: (client: object, request: string, events: number) => open.get(client)?.get(request)?.give(events)
  } as const
}
export type Windows = ReturnType<typeof makeWindows>

/**
 * Delay of the release of an operation that ended at once, in ms. A caller that runs one command after the other does not wait for the
 * release: it happens while the guest works on the next request.
 */
const RELEASE_MS = 2

/** Resources that an operation of a client has acquired. */
interface Acquired {
  readonly scope: Scope.Scope
  /** The operation has ended by itself. Its release may come after its answer. */
  hasEnded: boolean
}

/** Gives an operation a Scope of its own, which closes with the caller's Scope, or soon after. */
export const makeReleases = Effect.map(Effect.scope, (parent) => {
  /** One fiber releases all ended operations: a fiber for each costs as much as a short command. */
  let ended: Array<Scope.Closeable> = []
  const closeAll = Effect.suspend(() => {
    const closing = ended
    ended = []
    return Effect.forEach(closing, (scope) => Effect.forkIn(Scope.close(scope, Exit.void), parent), { discard: true })
  })
  const closeSoon = (scope: Scope.Closeable) =>
    Effect.suspend(() =>
      ended.push(scope) > 1 ? Effect.void : Effect.asVoid(Effect.forkIn(Effect.delay(closeAll, RELEASE_MS), parent))
    )
  return Effect.uninterruptible(Effect.gen(function*() {
    const scope = yield* Scope.fork(parent)
    const acquired: Acquired = { scope, hasEnded: false }
    yield* Scope.addFinalizerExit(
      yield* Effect.scope,
      (exit) => acquired.hasEnded ? closeSoon(scope) : Scope.close(scope, exit)
    )
    return acquired
  }))
})
export type Releases = Effect.Success<typeof makeReleases>

/** Events batch by batch. An operation without `pull` runs as a stream into a small buffer. */
export const pullOf = (pyro: PyroService, row: StreamingRow): PullOperation<AnyEvent, unknown> => {
  const call = callOf(pyro, row) as StreamingCall<AnyEvent, unknown>
  return call.pull ?? ((payload, input) => pullFromStream(call(payload, input)))
}

/** Maximum wait for an operation's end before its first events are sent, in ms: before any output, and after some. */
const FIRST_EVENT_MS = 30
const AFTER_OUTPUT_MS = 2
/** The first events are sent with this much output, in bytes. */
const FIRST_BATCH_BYTES = 65_536

/** Maximum bytes of the events of one message, but for one event that has more: a message of 16 MiB ends the connection. */
const BATCH_BYTES = 8 * 1024 * 1024

/** Maximum bytes of an event in a message. An event with output has little else. */
const sizeOf = (event: AnyEvent) => outputBytes(event) || JSON.stringify(event).length * 3

const sizeOfAll = (events: ReadonlyArray<AnyEvent>) => events.reduce((sum, event) => sum + sizeOf(event), 0)

/** The same events, without batches that are too large for a message. */
const bounded = (pull: PullEvents<AnyEvent>): PullEvents<AnyEvent> => {
  let waiting: ReadonlyArray<AnyEvent> = []
  const take = (): ReadonlyArray<AnyEvent> => {
    let left = BATCH_BYTES
    const tooMany = waiting.length < 2 ? -1 : waiting.findIndex((event, at) => (left -= sizeOf(event)) < 0 && at > 0)
    const end = tooMany < 0 ? waiting.length : tooMany
    const events = waiting.slice(0, end)
    waiting = waiting.slice(end)
    return events
  }
  return (waitMs) =>
    waiting.length > 0 ? Effect.sync(take) : Effect.map(pull(waitMs), (events) => {
      waiting = events
      return take()
    })
}

type Batch = Arr.NonEmptyReadonlyArray<AnyEvent>
type Next = Pull.Pull<Batch, PyroError>

/** Gives the batch, and goes on. */
const onceBefore = (batch: Batch, next: Next): Next => {
  let isGiven = false
  return Effect.suspend(() => {
    if (isGiven) return next
    isGiven = true
    return Effect.succeed(batch)
  })
}

/** Batch by batch. Events that come at once are one batch: most operations are short, and each message wakes their client. */
export const batchesOf = (unbounded: PullEvents<AnyEvent>, acquired: Acquired): Next => {
  const pull = bounded(unbounded)
  // Suspended: a pull may look at its state when it is called, and `next` runs many times.
  const come = (waitMs?: number) =>
    Effect.mapError(Effect.suspend(() => pull(waitMs)), Option.getOrElse(() => Cause.Done()))
  const next: Next = Effect.flatMap(
    come(),
    (events) => Arr.isReadonlyArrayNonEmpty(events) ? Effect.succeed(events) : next
  )
  let later: Next | undefined
  const first: Next = Effect.gen(function*() {
    const events = [...yield* next]
    for (let bytes = 0; bytes < FIRST_BATCH_BYTES && events.length < WINDOW_EVENTS;) {
      bytes = events.reduce((sum, event) => sum + outputBytes(event), 0)
      const more = yield* Effect.exit(come(bytes > 0 ? AFTER_OUTPUT_MS : FIRST_EVENT_MS))
      if (Exit.isFailure(more)) {
        later = Effect.failCause(more.cause)
        acquired.hasEnded = Pull.isDoneCause(more.cause)
        break
      }
      if (!Arr.isReadonlyArrayNonEmpty(more.value)) break
      if (sizeOfAll(events) + sizeOfAll(more.value) > BATCH_BYTES) {
        later = onceBefore(more.value, next)
        break
      }
      events.push(...more.value)
    }
    later ??= next
    return events as unknown as Batch
  })
  return Effect.suspend(() => later ?? first)
}
