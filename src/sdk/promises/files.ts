import type { Bytes, ByteStream, Cancel } from "./common.ts"
import type {
  CopyFields,
  FileCopied,
  FileEdited,
  FileEditFields,
  FileEntry,
  FileListFields,
  FileStatFields,
  FileWriteFields,
  FileWritten,
  MkdirFields,
  RemoveFields,
  RenameFields
} from "./shapes.ts"

/** A file that exists. */
export interface FileStat {
  /** Path relative to /workspace, absolute outside of it. */
  readonly path: string
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

/** The user whose rights a file operation has: `root`, `agent`, a uid, or uid:gid. Default: root. */
export interface AsUser extends Cancel {
  readonly user?: string | undefined
}

/**
 * Files of a workspace. A path is absolute, or relative to /workspace. Symbolic links are followed as programs of the guest follow them.
 *
 * @example
 * await ws.files.write("notes.md", "to do\n")
 * const { entries } = await ws.files.list(".", { recursive: true })
 */
export interface Files {
  /** Content of a file. Rejects with `FileNotFound`-like errors of the contract if there is none. */
  readonly read: (path: string, options?: AsUser) => Promise<Bytes>
  /** Content of a file as text. Bytes that are not UTF-8 are U+FFFD. */
  readonly readText: (path: string, options?: AsUser) => Promise<string>
  /** Content of a file, piece by piece. */
  readonly stream: (path: string, options?: AsUser) => ByteStream
  /** Creates or replaces a file and its parent directories. Readers see the old file or the new one. At most 8388608 bytes. */
  readonly write: (
    path: string,
    content: string | Uint8Array,
    options?: FileWriteFields & Cancel
  ) => Promise<FileWritten>
  /** Replaces `oldText`, which must occur once, by `newText`. */
  readonly edit: (
    path: string,
    oldText: string,
    newText: string,
    options?: FileEditFields & Cancel
  ) => Promise<FileEdited>
  /** Type, size, mode and owner. Null if there is nothing at the path. */
  readonly stat: (path: string, options?: FileStatFields & Cancel) => Promise<FileStat | null>
  /** Whether there is something at the path. */
  readonly exists: (path: string, options?: FileStatFields & Cancel) => Promise<boolean>
  /** Entries of a directory. `truncated` says whether there are more than `limit`. */
  readonly list: (
    path?: string,
    options?: FileListFields & Cancel
  ) => Promise<{ readonly entries: ReadonlyArray<FileEntry>; readonly truncated: boolean }>
  /** Makes a directory, and with `parents` those above it. False if `parents` found it there. */
  readonly mkdir: (path: string, options?: MkdirFields & Cancel) => Promise<boolean>
  /** Removes a file, or with `recursive` a directory. False if `ifExists` found nothing. */
  readonly remove: (path: string, options?: RemoveFields & Cancel) => Promise<boolean>
  /** Moves a file or a directory, and makes the directories above the target. */
  readonly rename: (path: string, target: string, options?: RenameFields & Cancel) => Promise<void>
  /** Copies a file or a directory, whole or not at all, and makes the directories above the target. */
  readonly copy: (path: string, target: string, options?: CopyFields & Cancel) => Promise<FileCopied>
  /** Changes the permission bits, given in octal, such as `755`. */
  readonly chmod: (path: string, mode: string, options?: AsUser) => Promise<void>
}
