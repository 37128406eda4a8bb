import { Cause, Effect, Stream } from "effect"
import type { Readable } from "node:stream"

/**
 * The bytes of one of Node's streams, at the reader's pace. Not `Stream.fromAsyncIterable`: its end waits for the iterable, and a pipe
 * without a writer never answers.
 */
export const readableBytes = (readable: Readable): Stream.Stream<Uint8Array, Error> => {
  let failure: Error | undefined
  readable.on("error", (cause) => (failure ??= cause))
  const next = Effect.callback<Uint8Array, Error | Cause.Done>((resume) => {
    const look = () => {
      const piece = readable.read() as Buffer | null
      if (piece !== null) return settle(Effect.succeed(piece))
      if (failure !== undefined) return settle(Effect.fail(failure))
      if (readable.readableEnded) return settle(Cause.done())
      if (readable.destroyed) settle(Effect.fail(new Error("it ended early")))
    }
    const names = ["readable", "end", "error", "close"] as const
    const stop = () => {
      for (const name of names) readable.off(name, look)
    }
    const settle = (outcome: Effect.Effect<Uint8Array, Error | Cause.Done>) => {
      stop()
      resume(outcome)
    }
    for (const name of names) readable.on(name, look)
    look()
    return Effect.sync(stop)
  })
  return Stream.fromEffectRepeat(next)
}
