import { type Effect, Ref } from "effect"

/** A value of a workspace that everyone may read. Only its owner, the file that makes it, changes the value. */
export interface Readable<A> {
  readonly now: Effect.Effect<A>
  /** The value at this moment, for code outside of Effect. */
  readonly get: () => A
}

export const readableOf = <A>(ref: Ref.Ref<A>): Readable<A> => ({ now: Ref.get(ref), get: () => Ref.getUnsafe(ref) })
