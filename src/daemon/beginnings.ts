import { Effect, ExecutionStrategy, Exit, Option, Scope, Stream } from "effect"
import { ChannelFailed, type PyroError } from "../contract/errors.ts"
import type { ExecEvent } from "../contract/operations/workspace-exec.ts"
import type { Telling } from "../workspace/exec/exec.ts"

/** How long a command that has started may take to end, and one that has printed something, before that is told. */
const STARTED_MS = 10
const PRINTED_MS = 2
/** Output that is told at once, in `bytes`. */
const MOST_BYTES = 65_536
/** How long the rest is kept for whoever was told the beginning. */
const KEPT_MS = 10_000

interface Kept {
  readonly telling: Telling
  readonly scope: Scope.CloseableScope
  readonly expiry: NodeJS.Timeout
}

const notKept = new ChannelFailed({ detail: "nobody asked for the rest of the command's output in time" })

/** What a command does at once. */
const beginningOf = (telling: Telling) =>
  Effect.gen(function*() {
    const events: Array<ExecEvent> = []
    let bytes = 0
    let waitMs: number | undefined
    while (bytes < MOST_BYTES) {
      const told = yield* telling(waitMs)
      if (told.length === 0) break
      for (const event of told) {
        events.push(event)
        if (event._tag === "Output") bytes += event.bytes.length
        if (event._tag === "Exited" || event._tag === "Detached") return { events, more: false }
      }
      waitMs = bytes > 0 ? PRINTED_MS : STARTED_MS
    }
    return { events, more: true }
  }).pipe(Effect.mapError(Option.getOrElse(() => notKept)))

/** Commands whose beginning was told, until somebody takes the rest. */
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
    /** What a command does at once; it is dropped where whoever asks is interrupted. */
    begin: (id: string, start: Effect.Effect<Telling, PyroError, Scope.Scope>) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function*() {
          const scope = yield* Scope.fork(parent, ExecutionStrategy.sequential)
          return yield* Scope.extend(restore(start), scope).pipe(
            Effect.flatMap((telling) =>
              Effect.tap(restore(beginningOf(telling)), ({ more }) => {
                if (!more) return Scope.close(scope, Exit.void)
                // A fiber that sleeps would be some kilobytes for every command that takes a moment.
                const expiry = setTimeout(() => Effect.runFork(drop(id)), KEPT_MS)
                return Effect.sync(() => void kept.set(id, { telling, scope, expiry }))
              })
            ),
            Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
          )
        })
      ),
    rest: (id: string): Stream.Stream<ExecEvent, PyroError> =>
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
