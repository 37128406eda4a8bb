/** Bytes of a datagram's length, which precedes it in the stream. */
const LENGTH_BYTES = 2
const MAX_DATAGRAM_BYTES = 65_535

/** A datagram as the stream carries it; `undefined` for one that is longer than any. */
export const framed = (datagram: Uint8Array): Buffer | undefined => {
  if (datagram.length > MAX_DATAGRAM_BYTES) return undefined
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + datagram.length)
  frame.writeUInt16BE(datagram.length)
  frame.set(datagram, LENGTH_BYTES)
  return frame
}

/** Takes the datagrams out of a stream's bytes, which may cut them anywhere. */
export class Unframer {
  #held: Buffer = Buffer.alloc(0)

  /** The datagrams that are whole now. */
  add(bytes: Uint8Array): ReadonlyArray<Buffer> {
    const all = this.#held.length === 0
      ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      : Buffer.concat([this.#held, bytes])
    const whole: Array<Buffer> = []
    let at = 0
    while (at + LENGTH_BYTES <= all.length) {
      const end = at + LENGTH_BYTES + all.readUInt16BE(at)
      if (end > all.length) break
      whole.push(all.subarray(at + LENGTH_BYTES, end))
      at = end
    }
    // A copy: the piece's memory is the channel's.
    this.#held = Buffer.from(all.subarray(at))
    return whole
  }
}
