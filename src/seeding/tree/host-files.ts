import * as fs from "node:fs"
import * as path from "node:path"
import { beneath } from "../files-beneath.ts"
import { isItself } from "../git/pinned.ts"

/**
 * Content of a regular file within the limit. `undefined` for a symlink or any other path, and for a path through a link beneath an open
 * directory.
 */
export const readBounded = (file: string | Buffer, maxBytes: number): Buffer | undefined => {
  let fd: number
  try {
    fd = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK)
  } catch (cause) {
    if (absent.includes((cause as NodeJS.ErrnoException).code ?? "")) return undefined
    throw cause
  }
  try {
    const stat = fs.fstatSync(fd)
    return stat.isFile() && stat.size <= maxBytes && isItself(file.toString(), fd) ? fs.readFileSync(fd) : undefined
  } finally {
    fs.closeSync(fd)
  }
}

/** Errors of open for a missing file, a symlink, or a file that cannot be opened this way. */
const absent = ["ENOENT", "ENOTDIR", "ELOOP", "ENXIO", "EACCES", "ENAMETOOLONG"]

/** Whether there is anything at a path of a folder. */
export const hasFile = (folder: string, relative: Uint8Array): boolean => {
  try {
    return fs.lstatSync(beneath(folder, relative), { throwIfNoEntry: false }) !== undefined
  } catch {
    return false
  }
}

/** Modes and times of a directory that pyro made, so that equal contents give equal images. */
export const settle = (folder: string, seconds: number, special: ReadonlyMap<string, number> = new Map()) => {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name)
    if (entry.isDirectory()) settle(file, seconds)
    else fs.chmodSync(file, 0o644)
    if (!entry.isDirectory()) {
      fs.utimesSync(file, special.get(entry.name) ?? seconds, special.get(entry.name) ?? seconds)
    }
  }
  fs.chmodSync(folder, 0o755)
  fs.utimesSync(folder, seconds, seconds)
}
