/** The newest bytes of a stream, from some position on. Adding and dropping take time in proportion to the bytes that pass. */
export class HeldBytes {
  #buffer = Buffer.alloc(0)
  #begin = 0
  #end = 0
  /** Position of the first byte. */
  #position: number

  constructor(position: number) {
    this.#position = position
  }

  /** Position behind the last byte. */
  get end(): number {
    return this.#position + this.#end - this.#begin
  }

  add(bytes: Uint8Array): void {
    if (this.#end + bytes.length > this.#buffer.length) this.#move(bytes.length)
    this.#buffer.set(bytes, this.#end)
    this.#end += bytes.length
  }

  /** Moves the bytes to the front of a buffer with room for at least as many again. */
  #move(more: number) {
    const held = this.#buffer.subarray(this.#begin, this.#end)
    const wanted = 2 * (held.length + more)
    const buffer = wanted > this.#buffer.length ? Buffer.allocUnsafe(wanted) : this.#buffer
    buffer.set(held, 0)
    this.#buffer = buffer
    this.#begin = 0
    this.#end = held.length
  }

  /** A copy of the bytes between two positions. */
  between(from: number, to: number): Uint8Array {
    const at = this.#begin - this.#position
    return Uint8Array.prototype.slice.call(this.#buffer, at + from, at + to)
  }

  /** Drops all bytes, and continues at a later position. */
  restart(position: number): void {
    this.dropBefore(this.end)
    this.#position = position
  }

  /** Drops the bytes before a position. */
  dropBefore(position: number): void {
    this.#begin += position - this.#position
    this.#position = position
    if (this.#begin < this.#end) return
    this.#begin = this.#end = 0
    if (this.#buffer.length > MAX_EMPTY) this.#buffer = Buffer.alloc(0)
  }
}

/** Buffer that stays for the next bytes. */
const MAX_EMPTY = 4_096
