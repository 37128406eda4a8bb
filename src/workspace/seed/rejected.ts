import { Effect } from "effect"
import { SeedRejected } from "../../contract/errors.ts"
import { GitFailed } from "./confined-git.ts"

/** Git's refusal as the seed's. */
export const rejected = (source: string) => <A, E, R>(effect: Effect.Effect<A, E | GitFailed, R>) =>
  Effect.mapError(
    effect,
    (failure) => failure instanceof GitFailed ? new SeedRejected({ path: source, detail: failure.message }) : failure
  )
