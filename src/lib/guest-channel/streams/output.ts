import type { ProcessOutput } from "../model/process.ts"
import { Violation } from "../wire/violation.ts"

type OutputName = ProcessOutput["from"]

/** One piece of output, and room to join the next one. */
interface Slot extends ProcessOutput {
  bytes: Buffer
  /** Bytes in use; `bytes` may have room after them where `growable`. */
  length: number
  readonly growable: boolean
}

/** Small pieces are joined up to this size. */
const JOINED_BYTES = 32_768
/** With more unread pieces, a small one joins the last one of its output, also across pieces of the other output. */
const ORDERED_PIECES = 4_096

/**
 * Unread output in order of arrival. It takes at most about four times the unread bytes and `ORDERED_PIECES` small objects, however the guest
 * cuts its output: a piece that would keep a much larger socket chunk alive is copied, and neighbours of one output are joined. With more than
 * `ORDERED_PIECES` unread pieces, the order between stdout and stderr becomes coarse. Within one output it never changes.
 */
export class OutputQueue {
  #slots: Array<Slot> = []
  #last: Partial<Record<OutputName, Slot | undefined>> = {}

  /** Bytes of memory held, unused room included. */
  get heldBytes() {
    return this.#slots.reduce((sum, slot) => sum + slot.bytes.buffer.byteLength, 0)
  }

  /** Adds a piece. `kept`: no reader waits, so the piece stays for a while. */
  push(from: OutputName, offset: number, bytes: Buffer, kept: boolean) {
    const wasteful = kept && bytes.length * 4 < bytes.buffer.byteLength
    if (wasteful && this.#join(from, bytes)) return
    const slot: Slot = {
      from,
      offset,
      bytes: wasteful ? copyOf(bytes, bytes.length) : bytes,
      length: bytes.length,
      growable: wasteful
    }
    this.#slots.push(slot)
    this.#last[from] = slot
  }

  #join(from: OutputName, bytes: Buffer) {
    const last = this.#last[from]
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
  take(limitBytes: number): Array<ProcessOutput> {
    let count = 0
    for (let sum = 0; count < this.#slots.length && sum < limitBytes; count++) sum += this.#slots[count]!.length
    const taken = this.#slots.splice(0, count)
    for (const slot of taken) {
      if (this.#last[slot.from] === slot) this.#last[slot.from] = undefined
      if (slot.bytes.length > slot.length) slot.bytes = slot.bytes.subarray(0, slot.length)
    }
    return taken
  }

  clear() {
    this.#slots = []
    this.#last = {}
  }
}

const copyOf = (bytes: Buffer, room: number) => {
  const copy = Buffer.allocUnsafeSlow(room)
  bytes.copy(copy)
  return copy
}

/** One output of a stream: its received position and its credit. */
export class Output {
  readonly #window: number
  /** The output may not exist: the state of an older stream does not say whether the stream has a terminal, which has no stderr. */
  readonly #mayBeAbsent: boolean
  /** Bytes that arrived, counted from the stream's begin. */
  #received: number
  /** Bytes acknowledged to the guest; it may send `window` beyond them. */
  #acked: number
  ended = false
  /** Position after the pieces that the reader has. */
  handed: number
  /** Output from this position on is not acknowledged. */
  keptFrom = Infinity
  /** The stream skips output before this position, which the caller knows already. */
  known = 0

  constructor(window: number, acked: number, mayBeAbsent: boolean) {
    this.#window = window
    this.#mayBeAbsent = mayBeAbsent
    this.#received = acked
    this.handed = acked
    this.#acked = acked
  }

  get isOver() {
    return this.ended || (this.#mayBeAbsent && this.#received === 0)
  }

  /** Checks that `bytes` more at `offset` are next in order and within the credit. */
  receive(offset: number, bytes: number) {
    this.#expect(offset)
    if (offset + bytes > this.#acked + this.#window) {
      throw new Violation(`output up to ${offset + bytes}, beyond the credit of ${this.#acked + this.#window}`)
    }
    this.#received += bytes
  }

  end(offset: number) {
    this.#expect(offset)
    this.ended = true
  }

  #expect(offset: number) {
    if (this.ended) throw new Violation("output after its end")
    if (offset !== this.#received) throw new Violation(`output at ${offset} where ${this.#received} comes next`)
  }

  /**
   * Offset to acknowledge now. Undefined below a quarter of the window: then acknowledgements are rare, and three quarters of the window
   * can be in flight.
   */
  takeAck() {
    const consumed = Math.min(this.handed, this.keptFrom)
    if ((consumed - this.#acked) * 4 < this.#window) return undefined
    this.#acked = consumed
    return consumed
  }
}
