import { type Cause, Effect, Fiber, Queue, Stream } from "effect"
import type { Notice } from "../contract/rows/notice.ts"

/** Takes a notice, and never waits: the reader may be slow, or gone. */
export type Notify = (notice: Notice) => void

/** Work with its notices, then its result, as a stream. The end of the stream interrupts the work. */
export const withNotices = <A, E, R>(
  work: (notify: Notify) => Effect.Effect<A, E, R>
): Stream.Stream<Notice | A, E, R> =>
  Stream.unwrap(Effect.gen(function*() {
    const notices = yield* Queue.sliding<Notice, Cause.Done>(64)
    const done = yield* work((notice) => void Queue.offerUnsafe(notices, notice)).pipe(
      Effect.ensuring(Queue.end(notices)),
      Effect.forkScoped
    )
    return Stream.concat(Stream.fromQueue(notices), Stream.fromEffect(Fiber.join(done)))
  }))
