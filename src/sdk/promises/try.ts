import type { Cancel, Command } from "./common.ts"
import type { CandidateResult, TryFields, TryResult } from "./shapes.ts"

/** A way to try: a patch (unified diff, or *** Begin Patch), or a shell command. */
export interface Candidate {
  /** Name in the results. Default: candidate-1 and so on. */
  readonly name?: string | undefined
  /** Applied to /workspace, whole or not at all. */
  readonly patch?: string | undefined
  /** Runs in /workspace. */
  readonly command?: string | undefined
}

/** How candidates are tried. */
export interface TryOptions extends TryFields, Cancel {
  /** Judges each candidate by its exit status. Default: the candidate's own command does, or the patch that fits. */
  readonly check?: Command | undefined
}

/**
 * What a try tells:
 *
 * - `Started`: a candidate begins.
 * - `Tried`: what became of a candidate.
 * - `Done`: the whole table, the best candidate, and the one that was kept. It is the last event.
 */
export type TryEvent =
  | { readonly _tag: "Started"; readonly candidate: string }
  | { readonly _tag: "Tried"; readonly result: CandidateResult }
  | { readonly _tag: "Done" } & TryResult
