import { Refusal } from "../../both/dial/refusal.ts"

/** Maximum connections of one kind at a time that end in the dial process: each has buffers on both sides, or those of two TLS sessions. */
const MAX_OPEN = 1_024
const MAX_OPEN_PER_GROUP = 256

/** Connections of one kind that are open in this process. Those of a group share a value. */
export class OpenConnections<A> {
  readonly #what: string
  readonly #makeShared: () => A
  readonly #open = new Map<string, { readonly shared: A; count: number }>()

  constructor(what: string, makeShared: () => A) {
    this.#what = what
    this.#makeShared = makeShared
  }

  /** Counts a connection until `close` is called, whose second call does nothing. Throws if too many are open. */
  add(group: string): { readonly shared: A; readonly close: () => void } {
    const all = [...this.#open.values()].reduce((sum, { count }) => sum + count, 0)
    const one = this.#open.get(group) ?? { shared: this.#makeShared(), count: 0 }
    if (one.count >= MAX_OPEN_PER_GROUP || all >= MAX_OPEN) {
      throw new Refusal("failed", `too many connections to ${this.#what} are open`)
    }
    one.count += 1
    this.#open.set(group, one)
    let isOpen = true
    const close = () => {
      if (isOpen) one.count -= 1
      isOpen = false
      if (one.count === 0 && this.#open.get(group) === one) this.#open.delete(group)
    }
    return { shared: one.shared, close }
  }
}
