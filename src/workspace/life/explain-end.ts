import { Effect } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import type { Entry, Generation } from "../entry/entry.ts"
import { explainChannelFailure } from "./boot.ts"
import { takenOutOr } from "./running.ts"

/** Reason for the end of work in a guest: another request took its VM out of the workspace, or the VM ended by itself. */
export const explainEnd =
  ({ entry, generation }: { readonly entry: Entry; readonly generation: Generation }) =>
  <A, R>(work: Effect.Effect<A, PyroError, R>): Effect.Effect<A, PyroError, R> =>
    Effect.catchTags(explainChannelFailure(generation.guest)(work), {
      ChannelFailed: (failure) => takenOutOr(entry, generation, failure),
      VmFailed: (failure) => takenOutOr(entry, generation, failure)
    })
