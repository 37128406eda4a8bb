import type { Bytes, ByteStream, Cancel, EventStream, Input } from "./common.ts"
import type { AsUser, FileStat, ReadOptions, WatchEvent, WatchOptions } from "./file-options.ts"
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

/**
 * Files of a workspace. A method rejects with `FileRefused`, whose `reason` is `not_found`, `exists`, `permission` or another. A path is absolute, or relative to /workspace. Symbolic links are followed as programs of the guest follow them.
 *
 * @example
 * await ws.files.write("notes.md", "to do\n")
 * const { entries } = await ws.files.list(".", { recursive: true })
 */
export interface Files {
  /**
   * Content of a file. Rejects with `FileRefused` if there is none (`reason` is `not_found`).
   *
   * @example
   * const bytes = await ws.files.read("/etc/os-release")
   */
  readonly read: (path: string, options?: ReadOptions) => Promise<Bytes>
  /**
   * Content of a file as text. Bytes that are not UTF-8 are U+FFFD.
   *
   * @example
   * const text = await ws.files.readText("/etc/os-release")
   */
  readonly readText: (path: string, options?: ReadOptions) => Promise<string>
  /**
   * Content of a file of any size, piece by piece. The end of the loop ends the work.
   *
   * @example
   * for await (const bytes of ws.files.stream("/usr/bin/python3")) console.log(bytes.length)
   */
  readonly stream: (path: string, options?: ReadOptions) => ByteStream
  /**
   * Creates or replaces a file of any size, and its parent directories. Readers see the old file or the new one, unless `append` is set.
   *
   * @example
   * await ws.files.write("bin/run.sh", "#!/bin/sh\necho ok\n", { mode: "755" })
   */
  readonly write: (
    path: string,
    content: Input,
    options?: FileWriteFields & Cancel
  ) => Promise<FileWritten>
  /**
   * Replaces `oldText`, which must occur once, by `newText`.
   *
   * @example
   * await ws.files.write("app.conf", "retries = 3\n")
   * await ws.files.edit("app.conf", "retries = 3", "retries = 5")
   */
  readonly edit: (
    path: string,
    oldText: string,
    newText: string,
    options?: FileEditFields & Cancel
  ) => Promise<FileEdited>
  /**
   * Type, size, mode and owner. Null if there is nothing at the path.
   *
   * @example
   * const found = await ws.files.stat("app.conf")
   * if (found === null) console.log("there is none")
   */
  readonly stat: (path: string, options?: FileStatFields & Cancel) => Promise<FileStat | null>
  /**
   * Whether there is something at the path.
   *
   * @example
   * if (!await ws.files.exists("README.md")) await ws.files.write("README.md", "# New\n")
   */
  readonly exists: (path: string, options?: FileStatFields & Cancel) => Promise<boolean>
  /**
   * Entries of a directory. `truncated` says whether there are more than `limit`.
   *
   * @example
   * const { entries } = await ws.files.list("/etc", { recursive: true, limit: 100 })
   */
  readonly list: (
    path?: string,
    options?: FileListFields & Cancel
  ) => Promise<{ readonly entries: ReadonlyArray<FileEntry>; readonly truncated: boolean }>
  /**
   * Makes a directory, and with `parents` those above it. False if `parents` found it there.
   *
   * @example
   * await ws.files.mkdir("build/out", { parents: true })
   */
  readonly mkdir: (path: string, options?: MkdirFields & Cancel) => Promise<boolean>
  /**
   * Removes a file or an empty directory, or with `recursive` a directory with its content. False if `ifExists` found nothing.
   *
   * @example
   * await ws.files.remove("build", { recursive: true, ifExists: true })
   */
  readonly remove: (path: string, options?: RemoveFields & Cancel) => Promise<boolean>
  /**
   * Moves a file or a directory, and makes the directories above the target.
   *
   * @example
   * await ws.files.write("old.txt", "text")
   * await ws.files.rename("old.txt", "archive/old.txt", { replace: true })
   */
  readonly rename: (path: string, target: string, options?: RenameFields & Cancel) => Promise<void>
  /**
   * Copies a file or a directory, whole or not at all, and makes the directories above the target.
   *
   * @example
   * const { entries } = await ws.files.copy("/etc/hosts", "hosts", { replace: true })
   */
  readonly copy: (path: string, target: string, options?: CopyFields & Cancel) => Promise<FileCopied>
  /**
   * Changes the permission bits, given in octal, such as `755`.
   *
   * @example
   * await ws.files.write("tool.sh", "#!/bin/sh\n")
   * await ws.files.chmod("tool.sh", "755")
   */
  readonly chmod: (path: string, mode: string, options?: AsUser) => Promise<void>
  /**
   * Tells what changes beneath a directory, or of a file, from `Watching` on. The end of the loop ends the watch. Fails with
   * `WorkspaceNotReady` when the workspace is paused, stopped, reset or deleted.
   *
   * @example
   * await ws.files.mkdir("src", { parents: true })
   * for await (const event of ws.files.watch("src")) {
   *   if (event._tag === "Watching") await ws.files.write("src/new.txt", "text")
   *   if (event._tag === "Changed") break
   * }
   */
  readonly watch: (path?: string, options?: WatchOptions) => EventStream<WatchEvent>
}
