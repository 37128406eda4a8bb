import type { Effect } from "effect"
import * as fs from "node:fs"
import { dirname, join } from "node:path"
import { freeBytes } from "../processes/host.ts"
import { exists } from "./entries.ts"
import { attempt, type FileFailed } from "./failure.ts"

/** Bytes of one block of `st_blocks` (stat(2)), whatever the block size of the file system. */
const BLOCK_BYTES = 512

/** Bytes that a file occupies on disk. 0 if there is none, or if this user may not read it. */
export const bytesOnDisk = (path: string): number => {
  try {
    return fs.statSync(path).blocks * BLOCK_BYTES
  } catch {
    return 0
  }
}

/** Bytes that a file or a folder occupies on disk, as far as this user can read it. */
export const bytesBeneath = (path: string): number => {
  try {
    const stat = fs.lstatSync(path)
    const own = stat.blocks * BLOCK_BYTES
    return stat.isDirectory()
      ? fs.readdirSync(path).reduce((sum, name) => sum + bytesBeneath(join(path, name)), own)
      : own
  } catch {
    return 0
  }
}

/** Bytes on disk that the removal of a file or a folder frees. A file with another name keeps its blocks. */
export const freedBeneath = (path: string): number => {
  const stat = fs.lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return 0
  if (!stat.isDirectory()) return stat.nlink > 1 ? 0 : stat.blocks * BLOCK_BYTES
  return fs.readdirSync(path).reduce((sum, name) => sum + freedBeneath(join(path, name)), 0)
}

/** Counts the disk space of several trees, each file and folder once: a tree within a counted tree, or a second name, counts nothing. */
export class UsageCounter {
  readonly #counted = new Set<string>()

  /** Bytes beneath a path of files that were not counted before, as far as this user can read the path. */
  count(path: string): number {
    try {
      const stat = fs.lstatSync(path)
      const name = `${stat.dev}:${stat.ino}`
      if (this.#counted.has(name)) return 0
      this.#counted.add(name)
      const own = stat.blocks * BLOCK_BYTES
      return stat.isDirectory()
        ? fs.readdirSync(path).reduce((sum, name) => sum + this.count(join(path, name)), own)
        : own
    } catch {
      return 0
    }
  }
}

const mib = 1024 * 1024

/** Free space for this user in the file system of `path` (or of its existing parent), in MiB. */
export const freeMib = (path: string): Effect.Effect<number, FileFailed> =>
  !exists(path) && dirname(path) !== path
    ? freeMib(dirname(path))
    : attempt("statfs", path, () => Math.floor(freeBytes(path) / mib))

/** File systems whose files can share blocks, by their numbers in statfs(2): btrfs, XFS, bcachefs, ZFS. */
const SHARING = new Set([0x9123683e, 0x58465342, 0xca451a4e, 0x2fc12fc1])

/** Whether a copy from one directory to another may take no space. */
export const mayShareBlocks = (from: string, to: string): Effect.Effect<boolean, FileFailed> =>
  attempt("statfs", to, () => fs.statSync(from).dev === fs.statSync(to).dev && SHARING.has(fs.statfsSync(to).type))

/** An entry of the cache that pyro can make or fetch again. */
export interface CacheEntry {
  readonly kind: "template" | "seed" | "repository" | "packages" | "download" | "steps"
  readonly name: string
  /** Bytes that the removal frees; 0 while a workspace holds the entry's content. */
  readonly bytes: number
  /** Time of the last use, in ms since the epoch. */
  readonly usedMs: number
  /** Removes the entry, unless another process works on it. */
  readonly remove: Effect.Effect<void, FileFailed>
}
