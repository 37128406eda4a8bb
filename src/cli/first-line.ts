import { Effect, Stream } from "effect"

/** The answer to a question; empty at the end of the input. */
export const firstLine = (stdin: Stream.Stream<Uint8Array>): Effect.Effect<string> =>
  stdin.pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.runHead,
    Effect.map((line) => line._tag === "Some" ? line.value : "")
  )
