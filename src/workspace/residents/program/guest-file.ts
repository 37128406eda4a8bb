/** A file that pyro writes into the root of a guest. */
export interface GuestFile {
  /** Absolute path in the guest. */
  readonly path: string
  /** The content (latin1) without pyro's part. `undefined`: pyro wrote the whole file over the file of the environment. */
  readonly without: (content: string) => string | undefined
}

/** Symbolic links to files of pyro that tools of the guest make. */
export interface GuestLinks {
  /** Absolute path in the guest. */
  readonly directory: string
  readonly targets: ReadonlyArray<string>
}
