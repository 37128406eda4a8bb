import type { Cancel } from "./common.ts"
import type { FileChange, FileEntry } from "./shapes.ts"

/** A file that exists. */
export interface FileStat {
  /** Path relative to /workspace, absolute outside of it. */
  readonly path: string
  /** Type of the file. */
  readonly type: FileEntry["type"]
  /** Size in bytes. */
  readonly sizeBytes: number
  /** Permission bits in octal, such as `0644`. */
  readonly mode: string
  /** Time of the last change, ISO 8601. Absent if the time has no calendar date. */
  readonly modifiedAt?: string
  /** Target of a symbolic link. Absent for others. */
  readonly target?: string
  /** Number of the owner. */
  readonly uid: number
  /** Number of the group. */
  readonly gid: number
}

/** Options of operations on files. */
export interface AsUser extends Cancel {
  /** The user whose rights the operation has: `root`, `agent`, a uid, or uid:gid. Default: root. */
  readonly user?: string | undefined
}

/** Options of a read. */
export interface ReadOptions extends AsUser {
  /** First byte to read. Default: 0. */
  readonly offset?: number | undefined
  /** Maximum number of bytes to read, at least 1. Default: to the end. */
  readonly length?: number | undefined
}

/** Options of a watch. */
export interface WatchOptions extends AsUser {
  /** Watch subdirectories as well. Default: true, unless `depth` is 1. */
  readonly recursive?: boolean | undefined
  /** Number of levels to watch: 1 is the directory's own entries. Default: all. */
  readonly depth?: 1 | undefined
}

/**
 * What a watch tells:
 *
 * - `Watching`: every later change is told. It is the first event.
 * - `Changed`: changes of one moment, one for each path.
 * - `Lost`: changes are unknown. Look at the tree again.
 * - `Unwatched`: the first directory that is not watched, because there are too many or it is on another file system.
 * - `Ended`: the watched directory or file is gone. It is the last event.
 */
export type WatchEvent =
  | { readonly _tag: "Changed"; readonly changes: ReadonlyArray<FileChange> }
  | { readonly _tag: "Watching" | "Lost" | "Unwatched" | "Ended"; readonly path: string }
