import { Unencodable, Violation } from "./violation.ts"

// u8 mark | u24 length | u32 stream | u8 kind | payload[length] | u8 end (docs/channel.md)

/** First byte of every frame; not zero, so that zeros between frames can be skipped. */
export const MARK = 0x50
/** Last byte of every frame; not zero, so that filler never completes a partial frame. */
export const END = 0xa5
export const HEADER_BYTES = 9
const OVERHEAD_BYTES = HEADER_BYTES + 1
export const MAX_FRAME_BYTES = 65_536
export const MAX_PAYLOAD_BYTES = MAX_FRAME_BYTES - OVERHEAD_BYTES
/** Zeros before the hello of a takeover: they complete any partial frame that the agent reads. */
export const TAKEOVER_FILLER_BYTES = 2 * MAX_FRAME_BYTES

/** Writes header and end around a payload at `HEADER_BYTES` of `frame`. */
export const sealFrame = (frame: Buffer, stream: number, kind: number) => {
  const length = frame.length - OVERHEAD_BYTES
  if (length > MAX_PAYLOAD_BYTES) {
    throw new Unencodable("E2BIG", `${length} bytes do not fit in a frame of at most ${MAX_PAYLOAD_BYTES}`)
  }
  writeHeader(frame, length, stream, kind)
  frame[frame.length - 1] = END
  return frame
}

const writeHeader = (to: Buffer, length: number, stream: number, kind: number) => {
  to.writeUInt32BE(MARK * 0x1000000 + length, 0)
  to.writeUInt32BE(stream, 4)
  to[8] = kind
}

/** Gives an encoded frame its stream. */
export const numberFrame = (frame: Buffer, stream: number) => frame.writeUInt32BE(stream, 4)

export const encodeFrame = (stream: number, kind: number, payload: Uint8Array) => {
  const frame = Buffer.allocUnsafe(payload.length + OVERHEAD_BYTES)
  frame.set(payload, HEADER_BYTES)
  return sealFrame(frame, stream, kind)
}

const END_PIECE = Buffer.of(END)

/** The pieces of a frame whose payload is `fields` and then `data`, which is not copied. At most `MAX_PAYLOAD_BYTES` together. */
export const frameAround = (
  stream: number,
  kind: number,
  fields: Buffer,
  data: Uint8Array
): ReadonlyArray<Uint8Array> => {
  const head = Buffer.allocUnsafe(HEADER_BYTES + fields.length)
  writeHeader(head, fields.length + data.length, stream, kind)
  fields.copy(head, HEADER_BYTES)
  return [head, data, END_PIECE]
}

/** Receives one whole frame. `payload` is a view: of the chunk it came in, or of the frame's own buffer. */
export type FrameSink = (stream: number, kind: number, payload: Buffer) => void

/**
 * Cuts a byte stream into frames. A frame within one chunk is a view of the chunk. A frame in several chunks is copied once, into a buffer of
 * its size. Buffers at most one frame of `MAX_FRAME_BYTES`.
 */
export class FrameDecoder {
  readonly #sink: FrameSink
  /** Begin of a frame whose length is not known yet: mark and up to two bytes of the length. */
  readonly #head = Buffer.alloc(4)
  #headBytes = 0
  #frame: Buffer | undefined
  #frameBytes = 0

  constructor(sink: FrameSink) {
    this.#sink = sink
  }

  /** Bytes held of a frame that is not complete. */
  get heldBytes() {
    return this.#frame === undefined ? this.#headBytes : this.#frameBytes
  }

  /** Throws `Violation` for an invalid frame. The stream is then unreadable. */
  push(chunk: Buffer) {
    let at = 0
    while (at < chunk.length) {
      if (this.#frame !== undefined) at = this.#fill(this.#frame, chunk, at)
      else if (this.#headBytes > 0) at = this.#finishHead(chunk, at)
      else if (chunk[at] === 0) at++
      else at = this.#take(chunk, at)
    }
  }

  #take(chunk: Buffer, at: number) {
    if (chunk[at] !== MARK) throw new Violation(`a frame begins with 0x${chunk[at]!.toString(16)} instead of its mark`)
    const left = chunk.length - at
    if (left < 4) {
      this.#headBytes = chunk.copy(this.#head, 0, at)
      return chunk.length
    }
    const bytes = frameBytes(chunk.readUInt32BE(at))
    if (left >= bytes) {
      this.#deliver(chunk.subarray(at, at + bytes))
      return at + bytes
    }
    this.#begin(bytes)
    return this.#fill(this.#frame!, chunk, at)
  }

  #finishHead(chunk: Buffer, at: number) {
    const copied = chunk.copy(this.#head, this.#headBytes, at, at + 4 - this.#headBytes)
    this.#headBytes += copied
    if (this.#headBytes === 4) {
      this.#headBytes = 0
      this.#begin(frameBytes(this.#head.readUInt32BE(0)))
      this.#frameBytes = this.#head.copy(this.#frame!, 0)
    }
    return at + copied
  }

  #begin(bytes: number) {
    this.#frame = Buffer.allocUnsafeSlow(bytes)
    this.#frameBytes = 0
  }

  #fill(frame: Buffer, chunk: Buffer, at: number) {
    const copied = chunk.copy(frame, this.#frameBytes, at)
    this.#frameBytes += copied
    if (this.#frameBytes === frame.length) {
      this.#frame = undefined
      this.#deliver(frame)
    }
    return at + copied
  }

  #deliver(frame: Buffer) {
    const last = frame.length - 1
    if (frame[last] !== END) {
      throw new Violation(`a frame ends with 0x${frame[last]!.toString(16)} instead of its end mark`)
    }
    this.#sink(frame.readUInt32BE(4), frame[8]!, frame.subarray(HEADER_BYTES, last))
  }
}

const frameBytes = (markAndLength: number) => {
  const length = markAndLength & 0xffffff
  if (length > MAX_PAYLOAD_BYTES) {
    throw new Violation(`a frame claims ${length} bytes, more than the ${MAX_PAYLOAD_BYTES} allowed`)
  }
  return length + OVERHEAD_BYTES
}
