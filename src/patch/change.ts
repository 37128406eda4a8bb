/** One side of a change: the file at a path before or after. */
export interface Side {
  /** Mode as in git: 0o100644, 0o100755, or 0o120000 for a symbolic link, whose content is its target. */
  readonly mode: 0o100644 | 0o100755 | 0o120000
  readonly content: Uint8Array
}

/** One difference between two trees. Paths are bytes relative to the tree, without a leading `/`. */
export interface Change {
  /** Path after the change; of a deletion, the path before. */
  readonly path: Uint8Array
  /** Old path of a rename. */
  readonly from?: Uint8Array | undefined
  /** Undefined: the file did not exist. */
  readonly before: Side | undefined
  /** Undefined: the file is gone. */
  readonly after: Side | undefined
}
