import type { Stream } from "effect"
import type { ChannelFailed } from "../../../contract/errors/errors.ts"
import type { AgentCallFailed } from "./errors.ts"
import type { GuestString } from "./guest-string.ts"

/** A path beneath a root directory of the guest. Paths and links that lead out of the root are refused (EXDEV). */
export interface GuestPath {
  readonly root: GuestString
  readonly path: GuestString
}

/** A path that the guest follows with the rights of a user. */
export interface FollowedPath extends GuestPath {
  /**
   * Links and `..` lead where they lead for a program whose root directory is `root`, and never out of it. Else those that lead out of the
   * root are refused. @default false
   */
  readonly inRoot?: boolean | undefined
  /** User of the guest, as of a command. @default root */
  readonly user?: string | undefined
}

export interface ReadRequest extends FollowedPath {
  /** First byte. @default 0 */
  readonly offset?: number | undefined
  /** Bytes at most; 0 = to the end. @default 0 */
  readonly limit?: number | undefined
  /** The path may be a block device. @default false */
  readonly device?: boolean | undefined
}

export interface WriteRequest extends FollowedPath {
  readonly mode: number
  /** Makes missing directories above it. @default false */
  readonly createParents?: boolean | undefined
  /** Fails (EEXIST) if the file exists. @default false */
  readonly exclusive?: boolean | undefined
  /** @default false */
  readonly append?: boolean | undefined
  /** Writes through a link instead of refusing it (ELOOP). @default false */
  readonly follow?: boolean | undefined
  /** Fails (ESTALE) unless the file is still of this version: checked in the guest, right before the new one takes its place. */
  readonly expected?: string | undefined
  /**
   * Time of the last modification that the file gets, in ns since 1970. Not with `expected`. An older agent fails (ESTALE).
   * @default now
   */
  readonly mtimeNs?: bigint | undefined
}

export interface WalkRequest extends FollowedPath {
  /** Levels below the walked directory, 1 = its own entries; 0 = all. @default 0 */
  readonly maxDepth?: number | undefined
  /** Reports for each file and directory whether it has extended attributes. @default false */
  readonly attributes?: boolean | undefined
}

/** State of a file before a read and after a write. */
export interface FileState {
  /** Permission bits and setuid, setgid, sticky. */
  readonly mode: number
  readonly size: number
  /** 16 hexadecimal digits: others after every change of content, mode or owner, and for another file of the same name. */
  readonly version: string
}

export interface WrittenFile extends FileState {
  /** Whether the file is new. */
  readonly created: boolean
}

/** A file that is open for reading. */
export interface OpenFile {
  /** State of the file when the read started. A later change has another version. */
  readonly state: FileState
  /** The caller runs it once. */
  readonly content: Stream.Stream<Uint8Array, AgentCallFailed | ChannelFailed>
}

export type EntryType = "block" | "character" | "directory" | "fifo" | "file" | "socket" | "symlink"

/** One entry of a walked tree. Names are the guest's own bytes: they need not be UTF-8, and may be chosen to deceive. */
export interface WalkEntry {
  readonly type: EntryType
  /** Permission bits and setuid, setgid, sticky. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly ino: bigint
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  readonly nlink: number
  /** Relative to the walked root. */
  readonly path: Uint8Array
  /** Empty unless a symlink. */
  readonly linkTarget: Uint8Array
  /** True if the walk asks for extended attributes, and the file or directory has some. Absent otherwise. */
  readonly hasAttributes?: true
}

/** Work on one file or tree of the guest. The guest follows links above the last name of a path. */
export type FileWork =
  & FollowedPath
  & (
    | { readonly op: "stat"; readonly follow: boolean }
    /** Fails (EEXIST) if something is there. */
    | { readonly op: "mkdir"; readonly createParents: boolean; readonly mode: number | undefined }
    | { readonly op: "remove"; readonly recursive: boolean }
    | { readonly op: "rename"; readonly target: GuestString; readonly replace: boolean }
    | { readonly op: "copy"; readonly target: GuestString; readonly replace: boolean }
    /** Follows a link. */
    | { readonly op: "chmod"; readonly mode: number }
  )

/** Result of a copy. */
export interface Copied {
  readonly entries: number
  readonly bytes: number
  /** Devices, sockets, FIFOs and mounts, which are left out. */
  readonly skipped: number
}

export interface WatchRequest extends FollowedPath {
  /** Also beneath the directories of the watched one, on its file system. */
  readonly recursive: boolean
}

/** Event of a watch. Paths are relative to the watched directory, and empty for a watched file: the guest's own bytes. */
export type WatchRecord =
  /** From now on, changes are reported. */
  | { readonly _tag: "ready" }
  | {
    readonly _tag: "created" | "modified" | "removed"
    readonly path: Uint8Array
    readonly isDirectory: boolean
  }
  | { readonly _tag: "renamed"; readonly path: Uint8Array; readonly from: Uint8Array; readonly isDirectory: boolean }
  /** There were more changes than the guest's kernel keeps, and some are unknown. */
  | { readonly _tag: "loss" }
  /** The guest cannot watch this directory, and maybe others: there are too many, or it may not be read. */
  | { readonly _tag: "unwatched"; readonly path: Uint8Array }

export interface CompareRequest {
  readonly old: GuestPath
  readonly new: GuestPath
  /** A name to ignore on both sides, whatever its case. @default none */
  readonly skip?: string | undefined
  /** Also compares the contents of files with the same metadata. @default false */
  readonly content?: boolean | undefined
}

/** The entry at a path in one of two trees. */
export interface ComparedSide {
  /** `mount`: the guest mounted something there, which is not compared. */
  readonly type: EntryType | "mount"
  /** Permission bits and setuid, setgid, sticky. */
  readonly mode: number
  readonly size: number
  /** Empty unless a symlink. */
  readonly linkTarget: Uint8Array
}

/** A path at which two trees differ. At least one of them has an entry there. */
export interface Difference {
  /** Relative to both trees: the guest's own bytes, made of names that are neither empty nor `.` nor `..`. */
  readonly path: Uint8Array
  readonly old: ComparedSide | undefined
  readonly new: ComparedSide | undefined
}

export interface ReadManyRequest {
  readonly root: GuestString
  /** Together less than a frame. The guest follows no link in them. */
  readonly paths: ReadonlyArray<GuestString>
  /** Maximum `bytes` of a file; a larger file is not read. */
  readonly limit: number
}

/** How one file was read. */
export interface ReadResult {
  /** 0: the content is whole. EFBIG: the file is larger than the limit. */
  readonly errno: number
  /** Size of the file in `bytes`, if it is known. */
  readonly size: number
  /** Empty unless errno is 0. */
  readonly content: Uint8Array
}

/** Content that is read when it is sent. */
export interface FileContent {
  /** Number of its `bytes`. */
  readonly size: number
  /** Exactly as many bytes. */
  readonly pieces: () => Iterable<Uint8Array>
}

/** A path is bytes relative to the root. The guest follows no link in it. */
export type FileChange =
  /** Removes a file or link, and keeps it until the end of the change. Fails (ESTALE) if it differs from the seen one. */
  | { readonly _tag: "take"; readonly path: Uint8Array; readonly seen: SeenFile }
  /** Places a file at a free path, or in place of empty directories, with the mode and owner of the taken file. */
  | {
    readonly _tag: "file"
    readonly path: Uint8Array
    readonly content: Uint8Array | FileContent
    /** Permission bits. Undefined: those of the taken file, else 0644. */
    readonly mode: number | undefined
    /** Index of the `take` that it replaces. */
    readonly taken: number | undefined
  }
  | { readonly _tag: "link"; readonly path: Uint8Array; readonly target: Uint8Array }
  /** Places a taken file, or puts it back. Undefined: its mode stays. */
  | { readonly _tag: "move"; readonly path: Uint8Array; readonly mode: number | undefined; readonly taken: number }

/** State of a file from a walk. */
export interface SeenFile {
  readonly ino: bigint
  readonly size: number
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
}
