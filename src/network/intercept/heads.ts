import type { Header } from "./placeholders.ts"

/** Maximum bytes of one guest's request heads that are under way. */
const MAX_BYTES = 8 * 1_048_576

const bytesOf = (headers: ReadonlyArray<Header>) =>
  headers.reduce((sum, [name, value]) => sum + name.length + value.length, 0)

/**
 * Counts the request heads of one guest that are under way. Their texts are in the heap of the dial process, which all guests share: a
 * process without heap takes the connections of every guest along.
 */
export class Heads {
  #bytes = 0

  /** Counts a head until `ended` calls back. `false` for a head that does not fit. */
  hold(headers: ReadonlyArray<Header>, ended: (release: () => void) => void): boolean {
    const bytes = bytesOf(headers)
    if (this.#bytes + bytes > MAX_BYTES) return false
    this.#bytes += bytes
    ended(() => (this.#bytes -= bytes))
    return true
  }
}
