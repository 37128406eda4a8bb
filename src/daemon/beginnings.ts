import { Effect, Either, ExecutionStrategy, Exit, Option, Scope, Stream } from "effect"
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

/** An event of any operation: some carry what a command printed. */
export interface AnyEvent {
  readonly _tag: string
  readonly bytes?: unknown
}
type AnyTelling = Telling<AnyEvent, PyroError>

interface Kept {
  readonly telling: AnyTelling
  readonly scope: Scope.CloseableScope
  readonly expiry: NodeJS.Timeout
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

/** Operations whose beginning was told, until somebody takes the rest. */
export const makeBeginnings = (parent: Scope.Scope) => {
  const kept = new Map<string, Kept>()

  const take = (id: string) =>
    Effect.sync(() => {
      const found = kept.get(id)
      kept.delete(id)
      clearTimeout(found?.expiry)
      return found
    })

  const drop = (id: string) =>
    Effect.flatMap(take(id), (found) => found === undefined ? Effect.void : Scope.close(found.scope, Exit.void))

  return {
    /** What happens at once; it is dropped where whoever asks is interrupted. */
    begin: <E>(id: string, start: Effect.Effect<AnyTelling, PyroError | E, Scope.Scope>) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function*() {
          const scope = yield* Scope.fork(parent, ExecutionStrategy.sequential)
          return yield* Scope.extend(restore(start), scope).pipe(
            Effect.flatMap((telling) =>
              Effect.tap(restore(beginningOf(telling)), ({ more }) => {
                // Nothing is left to be done in it: whoever waits is told first.
                if (!more) {
                  return Effect.sync(() => void setImmediate(() => Effect.runFork(Scope.close(scope, Exit.void))))
                }
                // A fiber that sleeps would be some kilobytes for every command that takes a moment.
                const expiry = setTimeout(() => Effect.runFork(drop(id)), KEPT_MS)
                return Effect.sync(() => void kept.set(id, { telling, scope, expiry }))
              })
            ),
            Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
          )
        })
      ),
    rest: (id: string): Stream.Stream<AnyEvent, PyroError> =>
      Stream.unwrapScoped(
        Effect.map(
          Effect.acquireRelease(take(id), (found) =>
            found === undefined ? Effect.void : Scope.close(found.scope, Exit.void)),
          (found) =>
            found === undefined ? Stream.fail(notKept) : Stream.repeatEffectChunkOption(found.telling())
        )
      ),
    drop
  } as const
}
