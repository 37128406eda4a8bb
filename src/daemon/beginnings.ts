import { Deferred, Effect, Either, ExecutionStrategy, Exit, FiberId, Option, Scope, Stream } from "effect"
import type { Beginning } from "../contract/begin-rpcs.ts"
import { ChannelFailed, type PyroError } from "../contract/errors.ts"
import type { Telling } from "../system/telling.ts"

/** How long what has begun may take to end, and what has printed something, before that is told. */
const BEGUN_MS = 30
const PRINTED_MS = 2
/** Output that is told at once, in `bytes`. */
const MOST_BYTES = 65_536
/** How long the rest is kept for whoever was told the beginning. */
const KEPT_MS = 10_000
/**
 * How long what is over waits for its release, in ms. Whoever asks for one thing after another would wait for that with the next; a
 * while later a guest works on it, and this process has nothing else to do.
 */
const RELEASE_MS = 2

/** An event of any operation: some carry what a command printed. */
export interface AnyEvent {
  readonly _tag: string
  readonly bytes?: unknown
}
type AnyTelling = Telling<AnyEvent, PyroError>

/** An operation from its request on, until everything of it is undone or done. */
interface Open {
  readonly scope: Scope.CloseableScope
  isClosing: boolean
  /** Made for the first who waits: a short command has none. */
  closed: Deferred.Deferred<void> | undefined
  /** What nobody has asked for yet. */
  rest: AnyTelling | undefined
  expiry: NodeJS.Timeout | undefined
}

const notKept = new ChannelFailed({ detail: "nobody asked for the rest of what happened in time" })

const printed = ({ bytes }: AnyEvent) => bytes instanceof Uint8Array ? bytes.length : 0

/** What happens at once. */
const beginningOf = (telling: AnyTelling): Effect.Effect<Beginning<AnyEvent>, PyroError> =>
  Effect.gen(function*() {
    const events: Array<AnyEvent> = []
    let bytes = 0
    let waitMs: number | undefined
    while (bytes < MOST_BYTES) {
      const told = yield* Effect.either(telling(waitMs))
      if (Either.isLeft(told)) {
        if (Option.isNone(told.left)) return { events, more: false }
        // What came before is told first: the rest is the failure.
        if (events.length > 0) break
        return yield* told.left.value
      }
      if (told.right.length === 0) break
      for (const event of told.right) {
        events.push(event)
        bytes += printed(event)
      }
      waitMs = bytes > 0 ? PRINTED_MS : BEGUN_MS
    }
    return { events, more: true }
  })

/** Operations that are going on, with what follows their beginning until somebody takes it. */
export const makeBeginnings = (parent: Scope.Scope) => {
  const open = new Map<string, Open>()

  /** Ends the operation. Whoever comes while it is being ended waits for that. */
  const close = (id: string, one: Open, exit: Exit.Exit<unknown, unknown>) =>
    Effect.suspend(() => {
      if (one.isClosing) return Deferred.await(one.closed ??= Deferred.unsafeMake<void>(FiberId.none))
      one.isClosing = true
      one.rest = undefined
      clearTimeout(one.expiry)
      const isClosed = () => {
        if (open.get(id) === one) open.delete(id)
        if (one.closed !== undefined) Deferred.unsafeDone(one.closed, Effect.void)
      }
      return Effect.ensuring(Scope.close(one.scope, exit), Effect.sync(isClosed))
    })

  /** All that are over by then at once: a timer of its own is dear for a command that takes as long. */
  let over: Array<readonly [string, Open]> = []
  const closeLater = (id: string, one: Open) => {
    if (over.push([id, one]) > 1) return
    setTimeout(() => {
      const closing = over
      over = []
      for (const [id, one] of closing) Effect.runFork(close(id, one, Exit.void))
    }, RELEASE_MS)
  }

  const drop = (id: string) =>
    Effect.suspend(() => {
      const one = open.get(id)
      return one === undefined ? Effect.void : close(id, one, Exit.void)
    })

  /** Once, until it expires. */
  const takeRest = (id: string) => {
    const one = open.get(id)
    const telling = one?.rest
    if (one === undefined || telling === undefined) return undefined
    one.rest = undefined
    clearTimeout(one.expiry)
    return { one, telling }
  }

  return {
    /** What happens at once; it is dropped where whoever asks is interrupted. */
    begin: <E>(id: string, start: Effect.Effect<AnyTelling, PyroError | E, Scope.Scope>) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function*() {
          const scope = yield* Scope.fork(parent, ExecutionStrategy.sequential)
          const one: Open = { scope, isClosing: false, closed: undefined, rest: undefined, expiry: undefined }
          open.set(id, one)
          return yield* Scope.extend(restore(start), scope).pipe(
            Effect.flatMap((telling) =>
              Effect.tap(restore(beginningOf(telling)), ({ more }) => {
                // Nothing is left to be done in it: whoever waits is told first.
                if (!more) return Effect.sync(() => closeLater(id, one))
                one.rest = telling
                // A fiber that sleeps would be some kilobytes for every command that takes a moment.
                one.expiry = setTimeout(() => Effect.runFork(close(id, one, Exit.void)), KEPT_MS)
                return Effect.void
              })
            ),
            Effect.onError((cause) => close(id, one, Exit.failCause(cause)))
          )
        })
      ),
    rest: (id: string): Stream.Stream<AnyEvent, PyroError> =>
      Stream.unwrapScoped(
        Effect.map(
          Effect.acquireRelease(
            Effect.sync(() => takeRest(id)),
            (taken) => taken === undefined ? Effect.void : close(id, taken.one, Exit.void)
          ),
          (taken) => taken === undefined ? Stream.fail(notKept) : Stream.repeatEffectChunkOption(taken.telling())
        )
      ),
    /** Ends an operation that nobody wants any more, and waits until it has ended. */
    drop
  } as const
}
