import { type Cause, Effect, Fiber, Queue, Stream } from "effect"

/** Notices that a reader has not taken yet. The oldest is lost above this number. */
const KEPT = 64

/** The notices of work while it runs, then its result, as a stream. `notify` never waits. The end of the stream interrupts the work. */
export const withNotices = <Notice, A, E, R>(
  work: (notify: (notice: Notice) => void) => Effect.Effect<A, E, R>
): Stream.Stream<Notice | A, E, R> =>
  Stream.unwrap(Effect.gen(function*() {
    const notices = yield* Queue.sliding<Notice, Cause.Done>(KEPT)
    const done = yield* work((notice) => void Queue.offerUnsafe(notices, notice)).pipe(
      Effect.ensuring(Queue.end(notices)),
      Effect.forkScoped
    )
    return Stream.concat(Stream.fromQueue(notices), Stream.fromEffect(Fiber.join(done)))
  }))
