/**
 * Files of a client on the way to another machine. The daemon there keeps them in its spool under an id, and a request names them as `spool:ID` in
 * the place of a path.
 */

const PREFIX = "spool:"

/** 128 random bits: whoever knows an id may use its files. */
const ID = /^[0-9a-f]{32}$/

/** Text that names the files of an id in a field for a path. */
export const spoolPath = (id: string): string => `${PREFIX}${id}`

const isSpoolId = (id: string): boolean => ID.test(id)

/** The id that a field for a path names. Undefined: it is another text. */
export const spoolIdOf = (text: string): string | undefined => {
  const id = text.startsWith(PREFIX) ? text.slice(PREFIX.length) : ""
  return isSpoolId(id) ? id : undefined
}

/**
 * An entry of a tree: type, path, permission bits, time of the last modification in ms since 1970, and for a file its size in bytes and the SHA-256
 * of its content; for a link its target. Paths and targets have one character for each byte.
 */
export type SpoolEntry =
  | readonly [type: "d", path: string, mode: number, mtimeMs: number]
  | readonly [type: "f", path: string, mode: number, mtimeMs: number, sizeBytes: number, sha256: string]
  | readonly [type: "l", path: string, mode: number, mtimeMs: number, target: string]

/**
 * What a client sends first: four bytes with the length of this record, most significant first, and the record as JSON in gzip. The contents of the
 * files that the daemon then asks for follow in its order, in one gzip stream.
 */
export interface SpoolManifest {
  readonly format: 1
  /** The tree itself has the path "". Each other entry follows its directory. A single file has the one entry "". */
  readonly entries: ReadonlyArray<SpoolEntry>
  /** What the client knows about a directory of its own beside the files: see `PackedFacts` of the seeding library. @default nothing */
  readonly facts?: unknown
}

/** A file of the spool is seen in blocks of this size. Those of zeros become holes where it is written. */
export const SPOOL_BLOCK_BYTES = 64 * 1024

/** Maximum bytes of a manifest, in gzip and unpacked. */
export const MAX_MANIFEST_BYTES = 64 * 1024 * 1024
export const MAX_UNPACKED_MANIFEST_BYTES = 256 * 1024 * 1024

/** Maximum entries of a tree, as of a walk through a directory. */
export const MAX_SPOOL_ENTRIES = 1_000_000
