import type { ByteStream, EventStream } from "pyro/promises"

/** Text of output, piece by piece. A character may come in two pieces of the bytes. */
export const textOf = (stream: ByteStream): EventStream<string> =>
  stream.pipeThrough(new TextDecoderStream()) as EventStream<string>
