/** Work that waits for a slot. */
interface Waiting {
  readonly start: () => void
}

/**
 * Bounds how much runs at a time, in all and for each group. Groups take turns, so a group that asks for much delays itself.
 */
export class Slots {
  readonly #limit: number
  readonly #perGroup: number
  #running = 0
  readonly #runningOf = new Map<string, number>()
  /** Groups that wait, in the order of their turns. */
  readonly #waiting = new Map<string, Array<Waiting>>()

  constructor({ limit, perGroup }: { readonly limit: number; readonly perGroup: number }) {
    this.#limit = limit
    this.#perGroup = perGroup
  }

  /**
   * Calls `start` in its turn: before this returns, if a slot is free. `leave`, which `start` gets and this returns, gives the slot back or
   * leaves the queue; its second call does nothing.
   */
  enter(group: string, start: (leave: () => void) => void): () => void {
    let state: "waiting" | "running" | "left" = "waiting"
    const leave = () => {
      const before = state
      state = "left"
      if (before === "waiting") return this.#remove(group, entry)
      if (before === "left") return
      this.#add(group, -1)
      this.#startNext()
    }
    const entry: Waiting = {
      start: () => {
        state = "running"
        this.#add(group, 1)
        start(leave)
      }
    }
    const queue = this.#waiting.get(group)
    if (queue === undefined) this.#waiting.set(group, [entry])
    else queue.push(entry)
    this.#startNext()
    return leave
  }

  /** Runs the task in its turn, and has the slot until its promise settles. A signal that is aborted before removes it. */
  run<A>(group: string, signal: AbortSignal, task: () => Promise<A>): Promise<A> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      const abort = () => {
        leave()
        reject(signal.reason)
      }
      signal.addEventListener("abort", abort)
      const leave = this.enter(group, (leave) => {
        signal.removeEventListener("abort", abort)
        task().finally(leave).then(resolve, reject)
      })
    })
  }

  #add(group: string, count: 1 | -1) {
    this.#running += count
    const running = (this.#runningOf.get(group) ?? 0) + count
    if (running === 0) this.#runningOf.delete(group)
    else this.#runningOf.set(group, running)
  }

  #remove(group: string, entry: Waiting) {
    const queue = (this.#waiting.get(group) ?? []).filter((other) => other !== entry)
    if (queue.length === 0) this.#waiting.delete(group)
    else this.#waiting.set(group, queue)
  }

  #startNext() {
    for (const group of [...this.#waiting.keys()]) {
      if (this.#running >= this.#limit) return
      // A started task may leave at once, and start others.
      const queue = this.#waiting.get(group)
      if (queue === undefined || (this.#runningOf.get(group) ?? 0) >= this.#perGroup) continue
      const next = queue.shift()!
      // To the end: the other groups have their turns first.
      this.#waiting.delete(group)
      if (queue.length > 0) this.#waiting.set(group, queue)
      next.start()
    }
  }
}
