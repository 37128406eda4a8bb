import type { Effect } from "effect"
import type { PutFailed } from "./put-failed.ts"
import type { PutEntry } from "./put-records.ts"

export interface PutRequest {
  /** Folder that gets the output, made if it is missing. Relative to `within` if that is given. */
  readonly parent: string
  /** Name of the root in `parent`. */
  readonly name: string
  /** Folder that `parent` cannot lead out of. */
  readonly within?: string | undefined
  /** Replaces existing files and links, but no directory, and nothing by another type. */
  readonly overwrite: boolean
  readonly entries: ReadonlyArray<PutEntry>
}

export interface PutDone {
  /** Paths whose file or link was replaced. */
  readonly replaced: ReadonlyArray<Uint8Array>
  /** Directories that existed before, and keep their mode. */
  readonly there: ReadonlyArray<Uint8Array>
  /** The outermost folder above the output that was missing, and is there now. */
  readonly made?: string
}

/** Accepted entries, which wait for the content of their files in order. */
export interface Put {
  /** Appends to the present file. */
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, PutFailed>
  /** Ends the present file, and continues with the next one. */
  readonly endFile: Effect.Effect<{ readonly size: number; readonly sha256: string }, PutFailed>
  /** Omits the present file. */
  readonly omitFile: Effect.Effect<void, PutFailed>
  /** Gives everything its name, or nothing. */
  readonly commit: Effect.Effect<PutDone, PutFailed>
}

/** Entries whose files can have holes. */
export interface SparsePut extends Put {
  /** Leaves a hole in the present file. A hole reads as zeros, and counts neither for the size nor for the digest. */
  readonly skip: (bytes: number) => Effect.Effect<void, PutFailed>
}
