import type { Effect } from "effect"
import type { GitMode } from "./patch.ts"

/** Entry of a tree at a path. */
export type Found =
  | { readonly _tag: "absent" }
  /** Or a symbolic link, whose content is its target. */
  | { readonly _tag: "file"; readonly mode: GitMode; readonly size: number }
  | { readonly _tag: "directory"; readonly names: ReadonlyArray<string> }
  /** An entry that a patch cannot touch: a device, a socket. */
  | { readonly _tag: "other"; readonly what: string }

/** A tree for a patch. Paths and names are byte strings. No link is followed. */
export interface PatchTree<E> {
  readonly at: (path: string) => Effect.Effect<Found, E>
  /** Content of the file, or target of the link, that `at` found. Fails unless its size is `size` bytes. */
  readonly content: (path: string) => Effect.Effect<Uint8Array, E>
}
