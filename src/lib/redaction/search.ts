/** A set of byte strings, each of which belongs to an owner. */
export interface Pattern {
  readonly bytes: Uint8Array
  /** Index of its secret. */
  readonly owner: number
}

/** Mark of a state that does not continue the state before it. */
const APART = 256
/** Mark of a state with more children than the next state. */
const BRANCHES = 512

/**
 * Aho-Corasick automaton. A pattern's states are numbered in a row, so that a state takes eight bytes, also for patterns of a megabyte.
 * State 0 is the root.
 */
class Automaton {
  readonly patterns: ReadonlyArray<Pattern>
  /** Byte of the edge to each state, with marks. */
  readonly #edge: Uint16Array
  /** State of the longest proper suffix. */
  readonly #fail: Int32Array
  /** The longest pattern that ends in each state, from 1; 0 for none. */
  readonly #out: Uint16Array
  readonly #branches = new Map<number, Int32Array>()
  /** First states of runs in ascending order, and their depths. */
  readonly #runs: Array<{ readonly state: number; readonly depth: number }> = [{ state: 0, depth: 0 }]
  #states = 1

  constructor(patterns: ReadonlyArray<Pattern>) {
    const most = patterns.reduce((sum, { bytes }) => sum + bytes.length, 1)
    this.patterns = patterns
    // One more, so that the last state has a next one.
    this.#edge = new Uint16Array(most + 1).fill(APART)
    this.#fail = new Int32Array(most)
    this.#out = new Uint16Array(most)
    this.#edge[0] = APART | BRANCHES
    this.#branches.set(0, new Int32Array(256))
    patterns.forEach(({ bytes }, index) => this.#insert(bytes, index + 1))
    this.#link()
  }

  #insert(bytes: Uint8Array, index: number) {
    let state = 0
    for (let depth = 0; depth < bytes.length; depth++) {
      state = this.child(state, bytes[depth]!) || this.#add(state, bytes[depth]!, depth)
    }
    if (this.#out[state] === 0) this.#out[state] = index
  }

  #add(parent: number, byte: number, depth: number) {
    const state = this.#states++
    if (parent === state - 1 && parent !== 0) {
      this.#edge[state] = byte
      return state
    }
    this.#edge[state] = byte | APART
    this.#runs.push({ state, depth: depth + 1 })
    const known = this.#branches.get(parent)
    const children = known ?? new Int32Array(256)
    if (known === undefined) this.#branches.set(parent, children)
    this.#edge[parent]! |= BRANCHES
    children[byte] = state
    return state
  }

  /** Computes the suffixes of all states, from the root outwards. */
  #link() {
    const walks = this.patterns.map(({ bytes }) => ({ bytes, state: 0 }))
      .sort((a, b) => b.bytes.length - a.bytes.length)
    for (let depth = 0, left = walks.length; left > 0; depth++) {
      while (left > 0 && walks[left - 1]!.bytes.length <= depth) left--
      for (let index = 0; index < left; index++) {
        const walk = walks[index]!
        const byte = walk.bytes[depth]!
        const parent = walk.state
        const state = walk.state = this.child(parent, byte)
        if (parent === 0) continue
        const suffix = this.step(this.#fail[parent]!, byte)
        this.#fail[state] = suffix
        if (this.#out[state] === 0) this.#out[state] = this.#out[suffix]!
      }
    }
  }

  /** The state after a byte of a pattern, or 0. */
  child(state: number, byte: number): number {
    if ((this.#edge[state + 1]! & ~BRANCHES) === byte) return state + 1
    return (this.#edge[state]! & BRANCHES) === 0 ? 0 : this.#branches.get(state)![byte]!
  }

  /** The state after any byte. */
  step(state: number, byte: number): number {
    for (let from = state;; from = this.#fail[from]!) {
      const next = this.child(from, byte)
      if (next !== 0 || from === 0) return next
    }
  }

  /** The longest pattern that ends in a state. */
  patternAt(state: number): Pattern | undefined {
    return this.patterns[this.#out[state]! - 1]
  }

  /** The same state, or its longest suffix if no pattern continues from the state. */
  settle(state: number): number {
    const isEnd = (this.#edge[state + 1]! & APART) !== 0 && (this.#edge[state]! & BRANCHES) === 0
    return isEnd ? this.#fail[state]! : state
  }

  /** Number of bytes that lead from the root to a state. */
  depth(state: number): number {
    let [low, high] = [0, this.#runs.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#runs[middle]!.state <= state) low = middle
      else high = middle - 1
    }
    const { depth, state: first } = this.#runs[low]!
    return depth + state - first
  }
}

/** Maximum width of the window that the search at the root moves. */
const MAX_WINDOW = 32
/** Bytes that the search looks at together. */
const BLOCK = 3

const hash = (first: number, second: number, third: number) => ((first << 10) ^ (second << 5) ^ third) & 0xffff

/** A pattern that ends in the text. */
type OnMatch = (end: number, pattern: Pattern) => void

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

  /** Passes a piece of text through. Returns the state after the piece, for the next piece. */
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
