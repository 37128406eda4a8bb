import type { ByteStream, EventStream } from "pyro/promises"

/** The most output that pyro gives at once: frameworks have no word for output that is left out. */
export const ALL_OUTPUT = { maxBytes: 67_108_864 }

/** Text of output, piece by piece. A character may come in two pieces of the bytes. */
export const textOf = (stream: ByteStream): EventStream<string> =>
  stream.pipeThrough(new TextDecoderStream()) as EventStream<string>
