import { Chunk, Effect, Mailbox, Option, type Scope, Stream } from "effect"

/**
 * What happens one after the other, some of it at a time: nothing when nothing comes in `waitMs`. No part is told twice, and asking again
 * after an interruption goes on where it was. Fails with nothing at the end.
 */
export type Telling<A, E> = (waitMs?: number) => Effect.Effect<Chunk.Chunk<A>, Option.Option<E>>

/** How many events a stream may be ahead of whoever it is told. */
const AHEAD = 16

/** A stream as a telling; it runs as long as the Scope. */
export const tellingOf = <A, E>(events: Stream.Stream<A, E>): Effect.Effect<Telling<A, E>, never, Scope.Scope> =>
  Effect.map(Mailbox.fromStream(events, { capacity: AHEAD }), (mailbox) => {
    let isOver = false
    const pull: Effect.Effect<Chunk.Chunk<A>, Option.Option<E>> = Effect.suspend(() =>
      isOver ? Effect.fail(Option.none()) : Effect.flatMap(
        Effect.mapError(mailbox.takeAll, Option.some),
        ([told, done]) => {
          isOver = done
          return told.length === 0 ? pull : Effect.succeed(told)
        }
      )
    )
    return (waitMs) =>
      waitMs === undefined ? pull : Effect.timeoutTo(pull, {
        duration: waitMs,
        onSuccess: (told) => told,
        onTimeout: () => Chunk.empty()
      })
  })

/** The same for whoever takes all of them. */
export const streamOf = <A, E>(start: Effect.Effect<Telling<A, E>, E, Scope.Scope>): Stream.Stream<A, E> =>
  Stream.unwrapScoped(Effect.map(start, (telling) => Stream.repeatEffectChunkOption(telling())))
