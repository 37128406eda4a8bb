/** Time for which a delivery is remembered, in ms. */
const RECENT_MS = 10 * 60_000
/** Bounded, since guests choose what they ask for. */
const MAX_RECENT = 16_384

/** Which guest got which entry a moment ago. */
export class Recent {
  readonly #times = new Map<string, number>()

  add(group: string, key: string, nowMs: number) {
    const name = `${group} ${key}`
    this.#times.delete(name)
    this.#times.set(name, nowMs)
    if (this.#times.size > MAX_RECENT) this.#times.delete(this.#times.keys().next().value!)
  }

  has(group: string, key: string, nowMs: number): boolean {
    const time = this.#times.get(`${group} ${key}`)
    return time !== undefined && nowMs - time < RECENT_MS
  }
}
