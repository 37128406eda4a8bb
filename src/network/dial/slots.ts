/** Work that waits for a slot. */
interface Waiting {
  readonly start: () => void
}

/**
 * Bounds how much runs at a time, in all and for each group. Groups take turns, so a group that asks for much delays itself. A task has
 * its slot until its promise settles.
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

  /** Runs the task in its turn. A signal that is aborted before removes it. */
  run<A>(group: string, signal: AbortSignal, task: () => Promise<A>): Promise<A> {
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#remove(group, entry)
        reject(signal.reason)
      }
      const entry: Waiting = {
        start: () => {
          signal.removeEventListener("abort", abort)
          this.#add(group, 1)
          task().finally(() => {
            this.#add(group, -1)
            this.#startNext()
          }).then(resolve, reject)
        }
      }
      if (signal.aborted) return reject(signal.reason)
      signal.addEventListener("abort", abort)
      const queue = this.#waiting.get(group)
      if (queue === undefined) this.#waiting.set(group, [entry])
      else queue.push(entry)
      this.#startNext()
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
    for (const [group, queue] of [...this.#waiting]) {
      if (this.#running >= this.#limit) return
      if ((this.#runningOf.get(group) ?? 0) >= this.#perGroup) continue
      const next = queue.shift()!
      // To the end: the other groups have their turns first.
      this.#waiting.delete(group)
      if (queue.length > 0) this.#waiting.set(group, queue)
      next.start()
    }
  }
}
