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

/** Takes the datagrams out of a stream's bytes, which may cut them anywhere. Each byte is copied once at most. */
export class Unframer {
  readonly #length = Buffer.alloc(LENGTH_BYTES)
  /** The datagram that has not arrived whole, once its length has. */
  #datagram: Buffer | undefined
  /** Bytes of its length and of itself that have arrived. */
  #arrived = 0

  /** The datagrams that are whole now. */
  add(bytes: Uint8Array): ReadonlyArray<Buffer> {
    const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const whole: Array<Buffer> = []
    let at = 0
    while (at < all.length) {
      const end = this.#arrived === 0 && at + LENGTH_BYTES <= all.length
        ? at + LENGTH_BYTES + all.readUInt16BE(at)
        : Infinity
      if (end <= all.length) {
        whole.push(all.subarray(at + LENGTH_BYTES, end))
        at = end
      } else {
        at += this.#continue(all.subarray(at), whole)
      }
    }
    return whole
  }

  /** Takes bytes of a datagram that arrives in parts; the number of bytes. */
  #continue(bytes: Buffer, whole: Array<Buffer>): number {
    const before = this.#arrived
    if (before < LENGTH_BYTES) {
      this.#arrived += bytes.copy(this.#length, before)
      if (this.#arrived === LENGTH_BYTES) this.#datagram = Buffer.allocUnsafe(this.#length.readUInt16BE())
    } else {
      this.#arrived += bytes.copy(this.#datagram!, before - LENGTH_BYTES)
    }
    const taken = this.#arrived - before
    if (this.#datagram !== undefined && this.#arrived === LENGTH_BYTES + this.#datagram.length) {
      whole.push(this.#datagram)
      this.#datagram = undefined
      this.#arrived = 0
    }
    return taken
  }
}
