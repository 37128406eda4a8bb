import { Effect } from "effect"
import { SeedRejected } from "../../contract/errors.ts"
import { FileFailed } from "../../system/files/failure.ts"
import { toHostError } from "../../system/files/host-error.ts"
import { GitFailed } from "./confined-git.ts"

/** Puts git's refusal into the words of the seed, and a file of pyro's own that the host refused into those of the host. */
export const rejected = (source: string) => <A, E, R>(effect: Effect.Effect<A, E | GitFailed | FileFailed, R>) =>
  Effect.mapError(effect, (failure) =>
    failure instanceof GitFailed
      ? new SeedRejected({ path: source, detail: failure.message })
      : failure instanceof FileFailed
      ? toHostError(failure)
      : failure)
