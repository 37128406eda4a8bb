import { Cause, Effect, Stream } from "effect"
import type { Readable } from "node:stream"

/**
 * The bytes of one of Node's streams, at the reader's pace. Not `Stream.fromAsyncIterable`: its end waits for the iterable, and a pipe
 * without a writer never answers.
 */
export const readableBytes = (readable: Readable): Stream.Stream<Uint8Array, Error> => {
  let failure: Error | undefined
  let look = () => {}
  // The listeners stay between two reads. Node resumes the output of an ended program, and a stream without a reader drops its bytes then.
  for (const name of ["readable", "end", "close"] as const) readable.on(name, () => look())
  readable.on("error", (cause) => {
    failure ??= cause
    look()
  })
  const next = Effect.callback<Uint8Array, Error | Cause.Done>((resume) => {
    const stop = () => {
      look = () => {}
    }
    const settle = (outcome: Effect.Effect<Uint8Array, Error | Cause.Done>) => {
      stop()
      resume(outcome)
    }
    look = () => {
      const piece = readable.read() as Buffer | null
      if (piece !== null) return settle(Effect.succeed(piece))
      if (failure !== undefined) return settle(Effect.fail(failure))
      if (readable.readableEnded) return settle(Cause.done())
      if (readable.destroyed) settle(Effect.fail(new Error("it ended early")))
    }
    look()
    return Effect.sync(stop)
  })
  return Stream.fromEffectRepeat(next)
}
