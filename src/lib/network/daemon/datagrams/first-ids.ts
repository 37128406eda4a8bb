/** Ids that are remembered: those of more than a minute at the pace in which handshakes are read. No server waits that long for the rest of one. */
const MAX_IDS = 16_384

/**
 * Ids that a guest's clients have chosen for new QUIC connections. An id begins one connection, on one flow: a guest that began a handshake
 * where it was read cannot go on where nothing is known of it.
 */
export class FirstIds {
  readonly #taken = new Set<string>()

  /** False for an id that was taken before. */
  take(id: Buffer): boolean {
    const text = id.toString("latin1")
    if (this.#taken.has(text)) return false
    this.#taken.add(text)
    const [oldest] = this.#taken
    if (this.#taken.size > MAX_IDS && oldest !== undefined) this.#taken.delete(oldest)
    return true
  }
}
