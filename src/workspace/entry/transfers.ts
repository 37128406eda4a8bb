import { Effect, type Scope } from "effect"
import { randomBytes } from "node:crypto"

/** Moves of the baseline that a client on another computer may ask for once its files have changed. They end with their requests. */
export interface Transfers {
  /** Offers a move until the Scope closes. Returns the id of the offer. */
  readonly offer: (move: Effect.Effect<boolean>) => Effect.Effect<string, never, Scope.Scope>
  /** Makes an offered move. False: the baseline did not move, or there is no such offer. */
  readonly make: (id: string) => Effect.Effect<boolean>
}

export const makeTransfers = (): Transfers => {
  const offered = new Map<string, Effect.Effect<boolean>>()
  return {
    offer: (move) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          const id = randomBytes(8).toString("hex")
          offered.set(id, move)
          return id
        }),
        (id) => Effect.sync(() => void offered.delete(id))
      ),
    make: (id) =>
      Effect.suspend(() => {
        const move = offered.get(id)
        offered.delete(id)
        return move ?? Effect.succeed(false)
      })
  }
}
