import { Violation } from "../wire/violation.ts"

/** One output of a stream: its received position and its credit. */
export class Output {
  readonly #window: number
  /** Bytes that arrived, counted from the stream's begin. */
  received: number
  /** Bytes the reader is done with. */
  consumed: number
  /** Bytes acknowledged to the guest; it may send `window` beyond them. */
  acked: number
  ended = false

  /** A stream taken over does not say whether it is a pty, which has no stderr. */
  readonly #mayBeAbsent: boolean

  constructor(window: number, acked: number, mayBeAbsent: boolean) {
    this.#window = window
    this.#mayBeAbsent = mayBeAbsent
    this.received = acked
    this.consumed = acked
    this.acked = acked
  }

  get isOver() {
    return this.ended || (this.#mayBeAbsent && this.received === 0)
  }

  /** Checks that `bytes` more at `offset` are next in order and within the credit. */
  receive(offset: number, bytes: number) {
    this.#expect(offset)
    if (offset + bytes > this.acked + this.#window) {
      throw new Violation(`output up to ${offset + bytes}, beyond the credit of ${this.acked + this.#window}`)
    }
    this.received += bytes
  }

  end(offset: number) {
    this.#expect(offset)
    this.ended = true
  }

  #expect(offset: number) {
    if (this.ended) throw new Violation("output after its end")
    if (offset !== this.received) throw new Violation(`output at ${offset} where ${this.received} comes next`)
  }

  /**
   * Offset to acknowledge now, if it is worth a frame: a quarter of the window keeps three quarters in flight
   * while acknowledgements stay rare.
   */
  takeAck() {
    if ((this.consumed - this.acked) * 4 < this.#window) return undefined
    this.acked = this.consumed
    return this.acked
  }
}
