import { Data, Effect } from "effect"
import { SeedRejected } from "../../../contract/errors/errors.ts"
import type { NextStep } from "../../../contract/errors/next-step.ts"
import { FileFailed, toHostError } from "../../../system/files/failure.ts"

/** git failed, or was not run: then `command` is empty. Callers add their task. */
export class GitFailed extends Data.TaggedError("GitFailed")<{
  readonly command: string
  readonly detail: string
  readonly next?: ReadonlyArray<NextStep>
}> {
  override get message() {
    return this.command === "" ? this.detail : `git ${this.command}: ${this.detail}`
  }
}

/** Translates git's refusal into an error of the seed, and a failure of pyro's own files into an error of the host. */
export const rejected = (source: string) => <A, E, R>(effect: Effect.Effect<A, E | GitFailed | FileFailed, R>) =>
  Effect.mapError(effect, (failure) =>
    failure instanceof GitFailed
      ? new SeedRejected({
        path: source,
        detail: failure.message,
        ...(failure.next === undefined ? {} : { next: failure.next })
      })
      : failure instanceof FileFailed
      ? toHostError(failure)
      : failure)
