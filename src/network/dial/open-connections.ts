import { Refusal } from "./refusal.ts"

/** Maximum connections at a time that end in the dial process: each has buffers on both sides. */
const MAX_OPEN = 1_024
const MAX_OPEN_PER_GROUP = 256

/** Connections of one kind that are open in this process. */
export class OpenConnections {
  readonly #what: string
  readonly #open = new Map<string, number>()

  constructor(what: string) {
    this.#what = what
  }

  /** Counts a connection until the returned function is called. Throws if too many are open. */
  add(group: string): () => void {
    const all = [...this.#open.values()].reduce((sum, count) => sum + count, 0)
    if ((this.#open.get(group) ?? 0) >= MAX_OPEN_PER_GROUP || all >= MAX_OPEN) {
      throw new Refusal("failed", `too many connections to ${this.#what} are open`)
    }
    this.#change(group, 1)
    let isOpen = true
    return () => {
      if (isOpen) this.#change(group, -1)
      isOpen = false
    }
  }

  #change(group: string, count: 1 | -1) {
    const now = (this.#open.get(group) ?? 0) + count
    if (now === 0) this.#open.delete(group)
    else this.#open.set(group, now)
  }
}
