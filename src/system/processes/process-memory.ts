import * as fs from "node:fs"
import { withChildren } from "./identity.ts"

/** Bytes that are searched at once. */
const pieceBytes = 4 * 1024 * 1024

interface Region {
  readonly start: number
  readonly end: number
}

/** Memory that a process alone writes, of its own or as a private copy of a file's (`/proc/PID/maps` of proc(5)). */
const privateRegions = (pid: number): ReadonlyArray<Region> =>
  [...fs.readFileSync(`/proc/${pid}/maps`, "latin1").matchAll(/^([0-9a-f]+)-([0-9a-f]+) rw-p /gm)].map(
    ([, start = "", end = ""]) => ({ start: Number.parseInt(start, 16), end: Number.parseInt(end, 16) })
  )

const pageBytes = 4096

const regionHolds = (fd: number, { end, start }: Region, needle: Buffer): boolean => {
  const piece = Buffer.alloc(Math.min(pieceBytes, end - start))
  for (let at = start; at < end;) {
    const wanted = Math.min(piece.length, end - at)
    const read = readAt(fd, piece, at, wanted)
    if (piece.subarray(0, read).includes(needle)) return true
    if (read < wanted) at += read - read % pageBytes + pageBytes
    else if (at + read === end) return false
    // A match may cross the end of this piece.
    else at += read - needle.length + 1
  }
  return false
}

/** Reads up to the first page that cannot be read, such as one past the end of a mapped file. */
const readAt = (fd: number, piece: Buffer, at: number, length: number): number => {
  try {
    return fs.readSync(fd, piece, 0, length, at)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EIO") return 0
    throw cause
  }
}

const oneHolds = (pid: number, needle: Buffer): boolean => {
  const fd = fs.openSync(`/proc/${pid}/mem`, "r")
  try {
    return privateRegions(pid).some((region) => regionHolds(fd, region, needle))
  } finally {
    fs.closeSync(fd)
  }
}

/** Whether the private memory of a process or of a child of it has the bytes. Undefined if the kernel does not let this user look. */
export const processHolds = (pid: number, needle: Buffer): boolean | undefined => {
  try {
    return withChildren(pid).some((one) => oneHolds(one, needle))
  } catch {
    return undefined
  }
}
