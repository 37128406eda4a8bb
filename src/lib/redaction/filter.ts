import type { SecretSet } from "./secrets.ts"

/** The newest bytes of a stream, from some position on. Adding and dropping take time in proportion to the bytes that pass. */
class TailBuffer {
  #buffer = Buffer.alloc(0)
  #begin = 0
  #end = 0
  /** Position of the first byte. */
  #position: number

  constructor(position: number) {
    this.#position = position
  }

  /** Position after the last byte. */
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

/** Position of a filter in its input. */
export interface FilterPosition {
  /** A new filter of the same output needs the input from here on. */
  readonly from: number
  /** The output contains everything before this position. At least `from`. */
  readonly done: number
}

/** Number of bytes of a possible secret that a pause in the output reveals. */
const SHOWN_BYTES = 2

interface Match {
  readonly begin: number
  readonly end: number
  readonly owner: number
}

export const markerOf = (name: string): string => `[secret:${name}]`

/**
 * Replaces secrets in output that arrives in pieces. Every byte of every occurrence goes. An occurrence inside another one gets no
 * marker. Bytes that may begin a secret are held back until the next bytes decide.
 */
export class OutputFilter {
  readonly #secrets: SecretSet
  readonly #markers: ReadonlyArray<Uint8Array>
  readonly #buffered: TailBuffer
  #state = 0
  /** Matches that a longer one may still contain, in the order of begin and end. */
  readonly #matches: Array<Match> = []
  /** Number of matches in front that have their marker. */
  #settled = 0
  #from: number
  #done: number
  /** Owner of the last marker, if nothing followed the marker. */
  #last: number | undefined
  #output: Array<Uint8Array> = []

  constructor(secrets: SecretSet, { done, from }: FilterPosition = { from: 0, done: 0 }) {
    this.#secrets = secrets
    this.#markers = secrets.names.map((name) => new Uint8Array(Buffer.from(markerOf(name))))
    this.#buffered = new TailBuffer(from)
    this.#from = from
    this.#done = done
  }

  get position(): FilterPosition {
    return { from: this.#from, done: this.#done }
  }

  /** Whether some input has no output yet. */
  get isBuffering(): boolean {
    return this.#buffered.end > this.#done
  }

  /** The input that a filter with other secrets needs, from `position.from` on. */
  get bufferedInput(): Uint8Array {
    return this.#buffered.between(this.#from, this.#buffered.end)
  }

  /** Takes a piece of input, and gives the output that is certain. */
  push(bytes: Uint8Array): ReadonlyArray<Uint8Array> {
    const begin = this.#buffered.end
    const isFresh = this.#from === begin && this.#done === begin
    this.#state = this.#secrets.matcher.scan(bytes, this.#state, (end, { bytes: { length }, owner }) => {
      this.#found({ begin: begin + end - length, end: begin + end, owner })
    })
    // Most output: no secret, and nothing that may begin one.
    if (isFresh && this.#matches.length === 0 && this.#state === 0) {
      this.#skipTo(begin + bytes.length)
      return bytes.length === 0 ? [] : [bytes]
    }
    this.#buffered.add(bytes)
    const from = this.#buffered.end - this.#secrets.matcher.automaton.depth(this.#state)
    this.#settle(from)
    this.#show(from)
    this.#from = from
    this.#buffered.dropBefore(from)
    return this.#take()
  }

  /** Gives output that a person may wait for: whole secrets, and the first bytes of a possible one. */
  pause(): ReadonlyArray<Uint8Array> {
    this.#settle(Infinity)
    this.#show(Math.min(this.#buffered.end, this.#from + SHOWN_BYTES))
    return this.#take()
  }

  /** Gives the rest: the input has ended. */
  end(): ReadonlyArray<Uint8Array> {
    this.#settle(Infinity)
    this.#show(this.#buffered.end)
    this.#from = this.#buffered.end
    this.#buffered.dropBefore(this.#from)
    this.#state = 0
    return this.#take()
  }

  #found(match: Match) {
    // Matches come in the order of their ends.
    while (this.#matches.length > this.#settled && this.#matches.at(-1)!.begin >= match.begin) this.#matches.pop()
    this.#matches.push(match)
  }

  /** Replaces the matches that begin before a position: no later match contains them. */
  #settle(before: number) {
    for (; this.#settled < this.#matches.length; this.#settled++) {
      const { begin, end, owner } = this.#matches[this.#settled]!
      if (begin >= before) break
      if (end <= this.#done) continue
      this.#show(begin)
      const { fill } = this.#secrets
      if (fill !== undefined) this.#output.push(Buffer.alloc(end - this.#done, fill))
      else if (this.#last !== owner || begin >= this.#done) this.#output.push(this.#markers[owner]!)
      this.#last = owner
      this.#done = end
    }
    if (this.#settled * 2 <= this.#matches.length) return
    this.#matches.splice(0, this.#settled)
    this.#settled = 0
  }

  /** Gives the input up to a position as it is. */
  #show(to: number) {
    if (to <= this.#done) return
    this.#output.push(this.#buffered.between(this.#done, to))
    this.#done = to
    this.#last = undefined
  }

  #skipTo(position: number) {
    this.#from = position
    this.#done = position
    this.#last = undefined
    this.#buffered.restart(position)
  }

  #take() {
    const output = this.#output
    this.#output = []
    return output
  }
}
