import {
  Array as Arr,
  Cause,
  Deferred,
  Effect,
  Exit,
  type Fiber,
  Option,
  type Pull,
  Result,
  Scope,
  Stream
} from "effect"
import { ChannelFailed, type PyroError } from "../contract/errors/errors.ts"
import type { PullEvents } from "../contract/rows/event-batches.ts"
import type { FirstBatch } from "../contract/wire/event-rpcs.ts"
import { deadlineScale } from "../system/settings/deadline-scale.ts"
import type { SendEvents } from "./direct-messages.ts"
import { type AnyEvent, outputBytes } from "./observer.ts"

/** Maximum wait of the first batch for the operation's end, in ms: before any output, and after some. */
const FIRST_EVENT_MS = 30
const AFTER_OUTPUT_MS = 2
/** The first batch is complete with this much output, in bytes. */
const FIRST_BATCH_BYTES = 65_536
/** How long the daemon keeps the rest of an operation for its caller, in ms. The caller may load its program meanwhile. */
const REST_KEPT_MS = 10_000 * deadlineScale
/**
 * Delay of the release of an operation that has ended, in ms. A caller that runs one command after the other would wait for the release
 * with its next request; a moment later the guest works on that request, and this process is idle.
 */
const RELEASE_MS = 2

type PullAny = PullEvents<AnyEvent>

/** An operation from its request until its release. */
interface Open {
  readonly scope: Scope.Closeable
  state: "open" | "closing" | "closed"
  /** Made for the first caller that waits: a short command has none. */
  closed: Deferred.Deferred<void> | undefined
  /** The events that no caller has asked for yet. */
  rest: PullAny | undefined
  /** Ends the operation if no caller asks for the rest. */
  expiry: Fiber.Fiber<void> | undefined
}

const restExpired = new ChannelFailed({ detail: "the client did not fetch the remaining events before the deadline" })

/** The events that come at once. */
const firstBatchOf = (pull: PullAny): Effect.Effect<FirstBatch<AnyEvent>, PyroError> =>
  Effect.gen(function*() {
    const events: Array<AnyEvent> = []
    let bytes = 0
    let waitMs: number | undefined
    while (bytes < FIRST_BATCH_BYTES) {
      const batch = yield* Effect.result(pull(waitMs))
      if (Result.isFailure(batch)) {
        if (Option.isNone(batch.failure)) return { events, more: false }
        // The caller gets the events first: the rest is the failure.
        if (events.length > 0) break
        return yield* batch.failure.value
      }
      if (batch.success.length === 0) break
      for (const event of batch.success) {
        events.push(event)
        bytes += outputBytes(event)
      }
      waitMs = bytes > 0 ? AFTER_OUTPUT_MS : FIRST_EVENT_MS
    }
    return { events, more: true }
  })

/** Events batch by batch, as the RPC server takes them. With `send`, the first pull sends all batches itself. */
const streamOf = (pull: ReturnType<PullAny>, send: SendEvents | undefined): Stream.Stream<AnyEvent, PyroError> => {
  const next: Pull.Pull<Arr.NonEmptyReadonlyArray<AnyEvent>, PyroError> = Effect.flatMap(
    Effect.mapError(pull, Option.getOrElse(() => Cause.Done())),
    (events) =>
      !Arr.isReadonlyArrayNonEmpty(events)
        ? next
        : send === undefined
        ? Effect.succeed(events)
        : Effect.andThen(send(events), next)
  )
  return Stream.fromPull(Effect.succeed(next))
}

/**
 * The operations that this daemon executes for its clients. Each has a Scope below `parent`; the daemon keeps the events after the first
 * batch until the client asks for them.
 */
export const makeOpenOperations = (parent: Scope.Scope) => {
  const open = new Map<string, Open>()

  /** Ends the operation. A second caller waits for the end that the first one began. */
  const close = (id: string, one: Open, exit: Exit.Exit<unknown, unknown>) =>
    Effect.suspend(() => {
      if (one.state === "closed") return Effect.void
      if (one.state === "closing") return Deferred.await(one.closed ??= Deferred.makeUnsafe<void>())
      one.state = "closing"
      one.rest = undefined
      const isClosed = () => {
        one.state = "closed"
        if (open.get(id) === one) open.delete(id)
        if (one.closed !== undefined) Deferred.doneUnsafe(one.closed, Effect.void)
      }
      return Effect.andThen(
        keepNoLonger(one),
        Effect.ensuring(Scope.close(one.scope, exit), Effect.sync(isClosed))
      )
    })

  /** One fiber releases all operations that have ended meanwhile: a fiber for each costs as much as a short command. */
  let ended: Array<readonly [string, Open]> = []
  const closeLater = (id: string, one: Open) =>
    Effect.suspend(() => {
      if (ended.push([id, one]) > 1) return Effect.void
      const closeAll = Effect.suspend(() => {
        const closing = ended
        ended = []
        return Effect.forEach(closing, ([id, one]) => Effect.forkIn(close(id, one, Exit.void), parent), {
          discard: true
        })
      })
      return Effect.sleep(RELEASE_MS).pipe(
        Effect.andThen(closeAll),
        Effect.forkIn(parent),
        Effect.asVoid
      )
    })

  /** Keeps the rest of an operation for a while. */
  const keep = (id: string, one: Open, rest: PullAny) =>
    Effect.gen(function*() {
      one.rest = rest
      one.expiry = yield* Effect.sleep(REST_KEPT_MS).pipe(
        Effect.andThen(Effect.suspend(() => {
          // This fiber is the expiry: `close` must not interrupt it.
          one.expiry = undefined
          return close(id, one, Exit.void)
        })),
        Effect.forkIn(parent)
      )
    })

  const keepNoLonger = (one: Open) =>
    Effect.suspend(() => {
      const { expiry } = one
      one.expiry = undefined
      return expiry === undefined ? Effect.void : Effect.sync(() => expiry.interruptUnsafe())
    })

  const drop = (id: string) =>
    Effect.suspend(() => {
      const one = open.get(id)
      return one === undefined ? Effect.void : close(id, one, Exit.void)
    })

  /** Gives the rest of an operation once, until the rest expires. */
  const takeRest = (id: string) =>
    Effect.suspend(() => {
      const one = open.get(id)
      const pull = one?.rest
      if (one === undefined || pull === undefined) return Effect.succeed(undefined)
      one.rest = undefined
      return Effect.as(keepNoLonger(one), { one, pull })
    })

  return {
    /** Starts an operation and gives its first batch. An interruption of the caller ends the operation. */
    first: <E>(id: string, start: Effect.Effect<PullAny, PyroError | E, Scope.Scope>) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function*() {
          const scope = yield* Scope.fork(parent)
          const one: Open = { scope, state: "open", closed: undefined, rest: undefined, expiry: undefined }
          open.set(id, one)
          return yield* Scope.provide(restore(start), scope).pipe(
            Effect.flatMap((pull) =>
              Effect.tap(
                restore(firstBatchOf(pull)),
                // The caller gets the last event before the release.
                ({ more }) => more ? keep(id, one, pull) : closeLater(id, one)
              )
            ),
            Effect.onError((cause) => close(id, one, Exit.failCause(cause)))
          )
        })
      ),
    /** The events after the first batch. The end of the stream ends the operation. */
    rest: (id: string, send?: SendEvents): Stream.Stream<AnyEvent, PyroError> =>
      Stream.unwrap(Effect.map(
        Effect.acquireRelease(
          takeRest(id),
          (taken) => taken === undefined ? Effect.void : close(id, taken.one, Exit.void)
        ),
        (taken) => taken === undefined ? Stream.fail(restExpired) : streamOf(taken.pull(), send)
      )),
    /** Ends an operation that its caller does not want any more, and waits for its end. */
    drop
  } as const
}
