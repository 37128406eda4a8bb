import { Effect } from "effect"
import { coreCount } from "../system/host.ts"

/**
 * How many guests may be on their way to their agent's first answer at once: one for each core, and one that waits for a file
 * meanwhile. With 20 at once on 2 cores all were there after 4.0 s, and half of them no sooner than after 3.8 s; in turn it is 3.7 s
 * and 2.0 s.
 */
export const guestsStartingAtOnce = coreCount() + 1

/** Runs at most `atOnce` of what it is given at a time, the others in the order that they came. Waiting can be interrupted. */
export const makeTurns = (
  atOnce: number
): Effect.Effect<<A, E, R>(work: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>> =>
  Effect.map(Effect.makeSemaphore(atOnce), (semaphore) => semaphore.withPermits(1))
