/** One piece of output, as the guest produced it. */
export interface Piece {
  /** 1 = stdout or data, 2 = stderr. */
  readonly output: number
  /** Position of its first byte since the stream opened. */
  readonly offset: number
  readonly bytes: Uint8Array
}

interface Slot {
  readonly output: number
  readonly offset: number
  bytes: Buffer
  /** Bytes in use; `bytes` may have room after them where `growable`. */
  length: number
  growable: boolean
}

/** Small pieces are joined up to this size. */
const JOINED_BYTES = 32_768
/** Past this many unread pieces, small ones join the last of their own output, whatever came between. */
const ORDERED_PIECES = 4_096

/**
 * Unread output in order of arrival. What it holds stays within about four times the unread bytes plus
 * `ORDERED_PIECES` small objects, however the guest cuts its output: a piece that would keep a much larger
 * socket chunk alive is copied, neighbours of one output are joined. Only past `ORDERED_PIECES` unread pieces
 * does the order between stdout and stderr become coarse; within one output it never changes.
 */
export class OutputQueue {
  #slots: Array<Slot> = []
  readonly #last: [Slot | undefined, Slot | undefined, Slot | undefined] = [undefined, undefined, undefined]

  get isEmpty() {
    return this.#slots.length === 0
  }

  /** Bytes of memory held, unused room included. */
  get heldBytes() {
    return this.#slots.reduce((sum, slot) => sum + slot.bytes.buffer.byteLength, 0)
  }

  /** Adds a piece. `kept`: no reader waits, so the piece stays for a while. */
  push(output: 1 | 2, offset: number, bytes: Buffer, kept: boolean) {
    const wasteful = kept && bytes.length * 4 < bytes.buffer.byteLength
    if (wasteful && this.#join(output, bytes)) return
    const slot: Slot = {
      output,
      offset,
      bytes: wasteful ? copyOf(bytes, bytes.length) : bytes,
      length: bytes.length,
      growable: wasteful
    }
    this.#slots.push(slot)
    this.#last[output] = slot
  }

  #join(output: 1 | 2, bytes: Buffer) {
    const last = this.#last[output]
    if (last === undefined || !last.growable || last.length + bytes.length > JOINED_BYTES) return false
    if (last !== this.#slots.at(-1) && this.#slots.length < ORDERED_PIECES) return false
    if (last.length + bytes.length > last.bytes.length) {
      last.bytes = copyOf(
        last.bytes.subarray(0, last.length),
        Math.max(64, 2 * last.length, last.length + bytes.length)
      )
    }
    bytes.copy(last.bytes, last.length)
    last.length += bytes.length
    return true
  }

  /** Takes the oldest pieces, until they come to `limitBytes` or more. */
  take(limitBytes: number): Array<Piece> {
    let count = 0
    for (let sum = 0; count < this.#slots.length && sum < limitBytes; count++) sum += this.#slots[count]!.length
    const taken = this.#slots.splice(0, count)
    for (const slot of taken) if (this.#last[slot.output] === slot) this.#last[slot.output] = undefined
    return taken.map(({ bytes, length, offset, output }) => ({
      output,
      offset,
      bytes: bytes.length === length ? bytes : bytes.subarray(0, length)
    }))
  }

  clear() {
    this.#slots = []
    this.#last.fill(undefined)
  }
}

const copyOf = (bytes: Buffer, room: number) => {
  const copy = Buffer.allocUnsafeSlow(room)
  bytes.copy(copy)
  return copy
}
