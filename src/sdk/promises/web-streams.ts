import { Effect, Stream } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import type { Halves } from "../handle/marks.ts"
import { rejecting } from "./rejection.ts"
import type { Run } from "./run.ts"

/** Ends with the abort of the signal. */
const aborted = (signal: AbortSignal) =>
  Effect.callback<never>((resume) => {
    const abort = () => resume(Effect.interrupt)
    if (signal.aborted) return abort()
    signal.addEventListener("abort", abort, { once: true })
    return Effect.sync(() => signal.removeEventListener("abort", abort))
  })

/** A stream of the web. Its work starts with the first read, and goes on only while a reader waits. */
export const readable = (
  name: string,
  stream: Stream.Stream<unknown, PyroError>,
  signal?: AbortSignal
): ReadableStream<unknown> => {
  const ending = signal === undefined ? stream : Stream.interruptWhen(stream, aborted(signal))
  const iterator = Stream.toAsyncIterable(ending)[Symbol.asyncIterator]()
  return new ReadableStream<unknown>({
    pull: async (controller) => {
      const next = await iterator.next().catch(rejecting({ name }, signal))
      if (next.done === true) controller.close()
      else controller.enqueue(next.value)
    },
    cancel: async () => {
      await iterator.return?.()
    }
  }, { highWaterMark: 0 })
}

/** A stream of the web whose write is done when the guest has the piece. */
export const writable = (run: Run, name: string, { end, write }: Halves): WritableStream<string | Uint8Array> =>
  new WritableStream<string | Uint8Array>({
    // Node's types lack the signal. An abort of the stream aborts it.
    write: (piece, controller) => run(name, write(piece), (controller as { readonly signal?: AbortSignal }).signal),
    close: () => run(name, end),
    abort: () => run(name, Effect.ignore(end))
  }, { highWaterMark: 1 })
