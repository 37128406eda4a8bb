import { Data } from "effect"

/** Nothing was written. */
export class PutFailed extends Data.TaggedError("PutFailed")<{
  readonly reason: "conflict" | "full" | "failed"
  readonly detail: string
  /** Conflicting paths, at most 20. */
  readonly conflicts: ReadonlyArray<{ readonly path: Uint8Array; readonly reason: string }>
  /** For a full disk, in `bytes` if known. */
  readonly needed?: number | undefined
  readonly free?: number | undefined
}> {}
