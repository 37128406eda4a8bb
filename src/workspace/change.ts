/** One side of a change: what is, or was, at a path. */
export interface Side {
  /** As git has it: 0o100644, 0o100755, or 0o120000 for a symbolic link, whose content is its target. */
  readonly mode: 0o100644 | 0o100755 | 0o120000
  readonly content: Uint8Array
}

/** One difference between two trees. Paths are bytes relative to the tree, without a leading `/`. */
export interface Change {
  /** Path after the change; of a deletion, the path before. */
  readonly path: Uint8Array
  /** Path before, where it is another: a rename. */
  readonly from?: Uint8Array | undefined
  /** Undefined: it was not there. */
  readonly before: Side | undefined
  /** Undefined: it is gone. */
  readonly after: Side | undefined
}
