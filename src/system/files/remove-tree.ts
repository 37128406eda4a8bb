import type { Effect } from "effect"
import * as fs from "node:fs"
import { attemptAsync, type FileFailed } from "./failure.ts"

/** Maximum number of entries of a tree that are removed in this turn of the event loop. */
const ENTRIES_AT_ONCE = 64

/** A file system takes a while to free a larger file. */
const SMALL_BYTES = 1024 * 1024

/** Whether the removal of this name frees little: the file has other names, or is small. */
const isSmall = ({ blocks, nlink }: fs.Stats) => nlink > 1 || blocks * 512 <= SMALL_BYTES

interface ByteFolder {
  readonly readSync: () => { readonly name: Buffer; readonly isDirectory: () => boolean } | null
  readonly closeSync: () => void
}

/** A folder whose names are bytes, read piece by piece. Node's types have only names that are strings. */
const openFolder = (path: Buffer) =>
  fs.opendirSync(path, {
    bufferSize: ENTRIES_AT_ONCE,
    encoding: "buffer" as BufferEncoding
  }) as unknown as ByteFolder

const separator = Buffer.from("/")

/** Removes the small part of a tree, and gives whether that was all. A symbolic link is removed itself. Throws Node's errors. */
const removeSmall = (root: Buffer): boolean => {
  let left = ENTRIES_AT_ONCE
  const removeFile = (path: Buffer, stat: fs.Stats) => {
    if (!isSmall(stat)) return false
    fs.unlinkSync(path)
    return true
  }
  const removeFolder = (path: Buffer): boolean => {
    const folder = openFolder(path)
    let isEmpty = true
    try {
      for (let found = folder.readSync(); found !== null; found = folder.readSync()) {
        if (left-- <= 0) return false
        const at = Buffer.concat([path, separator, found.name])
        if (!(found.isDirectory() ? removeFolder(at) : removeFile(at, fs.lstatSync(at)))) isEmpty = false
      }
    } finally {
      folder.closeSync()
    }
    if (isEmpty) fs.rmdirSync(path)
    return isEmpty
  }
  const stat = fs.lstatSync(root, { throwIfNoEntry: false })
  return stat === undefined || (stat.isDirectory() ? removeFolder(root) : removeFile(root, stat))
}

/** False after an error too: Node's removal then meets the obstacle and reports it, or finds that another process was faster. */
const isRemovedAtOnce = (path: string) => {
  try {
    return removeSmall(Buffer.from(path))
  } catch {
    return false
  }
}

/**
 * Removes a file or a whole tree. Succeeds if there is none. A small tree is removed in this turn of the event loop: Node's own removal
 * looks at each entry twice, and each of its calls is a hop through the thread pool. The thread pool removes large files and the rest of a
 * large tree.
 */
export const removeTree = (path: string): Effect.Effect<void, FileFailed> =>
  attemptAsync("rm", path, async () => {
    if (!isRemovedAtOnce(path)) await fs.promises.rm(path, { recursive: true, force: true })
  })
