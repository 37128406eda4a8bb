import { Effect, Semaphore } from "effect"
import type { Command } from "../exec/commands.ts"

/** The turn to type into one shell. */
class Turn {
  readonly #semaphore = Semaphore.makeUnsafe(1)
  #inputs = 0

  /** Whether no input has the turn or waits for the turn. */
  get isFree() {
    return this.#inputs === 0
  }

  /** Waits for the turn. */
  take<A, E, R>(type: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return Effect.suspend(() => {
      this.#inputs++
      return Effect.ensuring(this.#semaphore.withPermits(1)(type), Effect.sync(() => this.#inputs--))
    })
  }
}

/** One input after the other, for each shell of a workspace. */
export class Turns {
  readonly #turns = new WeakMap<Command, Turn>()

  of(command: Command): Turn {
    const known = this.#turns.get(command)
    if (known !== undefined) return known
    const made = new Turn()
    this.#turns.set(command, made)
    return made
  }
}
