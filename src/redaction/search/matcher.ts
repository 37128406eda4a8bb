import { Automaton, type Pattern } from "./automaton.ts"

/** Maximum width of the window that the search at the root moves. */
const MAX_WINDOW = 32
/** Bytes that the search looks at together. */
const BLOCK = 3

const hash = (first: number, second: number, third: number) => ((first << 10) ^ (second << 5) ^ third) & 0xffff

/** A pattern that ends in the text. */
export type OnMatch = (end: number, pattern: Pattern) => void

/**
 * Finds patterns in text that arrives in pieces. The time is linear in the text: at the root the search skips text in which no pattern
 * can begin (Wu and Manber), and elsewhere the automaton takes each byte once.
 */
export class Matcher {
  readonly automaton: Automaton
  readonly #window: number
  /** By how many bytes the window may move, by the hash of the last bytes in the window. */
  readonly #shift: Uint8Array

  constructor(patterns: ReadonlyArray<Pattern>) {
    const window = patterns.reduce((least, { bytes }) => Math.min(least, bytes.length), MAX_WINDOW)
    this.automaton = new Automaton(patterns)
    this.#window = window
    this.#shift = new Uint8Array(65_536).fill(Math.max(1, window - BLOCK + 1))
    for (const { bytes } of patterns) {
      for (let end = BLOCK; end <= window; end++) {
        const at = hash(bytes[end - 3]!, bytes[end - 2]!, bytes[end - 1]!)
        this.#shift[at] = Math.min(this.#shift[at]!, window - end)
      }
    }
  }

  /** Passes a piece of text through. Gives the state behind the piece, for the next piece. */
  scan(text: Uint8Array, state: number, onMatch: OnMatch): number {
    const { automaton } = this
    const { length } = text
    let at = 0
    while (at < length) {
      if (state === 0) at = this.#skip(text, at)
      if (at >= length) break
      state = automaton.step(state, text[at]!)
      at++
      if (state === 0) continue
      const pattern = automaton.patternAt(state)
      if (pattern === undefined) continue
      onMatch(at, pattern)
      state = automaton.settle(state)
    }
    return state
  }

  /** The next position where a pattern may begin. */
  #skip(text: Uint8Array, from: number): number {
    const window = this.#window
    if (window < BLOCK) return from
    const shift = this.#shift
    const last = text.length - window
    let at = from
    while (at <= last) {
      const end = at + window
      const by = shift[hash(text[end - 3]!, text[end - 2]!, text[end - 1]!)]!
      if (by === 0) return at
      at += by
    }
    return Math.min(at, text.length)
  }
}
