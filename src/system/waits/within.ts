import { Effect, type Option } from "effect"

/** Waits for an effect no longer than that, also in a finalizer, where a timeout alone could not interrupt what it waits for. */
export const within = <A, E, R>(ms: number, effect: Effect.Effect<A, E, R>): Effect.Effect<Option.Option<A>, E, R> =>
  Effect.timeoutOption(Effect.interruptible(effect), ms)
