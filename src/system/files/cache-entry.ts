import type { Effect } from "effect"
import type { FileFailed } from "./failure.ts"

/** An entry of the cache that pyro can make or fetch again. */
export interface CacheEntry {
  readonly kind: "template" | "seed" | "repository" | "packages" | "download"
  readonly name: string
  /** Bytes that the removal frees; 0 while a workspace holds the entry's content. */
  readonly bytes: number
  /** Time of the last use, in ms since the epoch. */
  readonly usedMs: number
  /** Removes the entry, unless another process works on it. */
  readonly remove: Effect.Effect<void, FileFailed>
}
