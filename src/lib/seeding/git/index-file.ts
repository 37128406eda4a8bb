import { createHash } from "node:crypto"

/** Offsets in an entry of git's index (gitformat-index): mtime, size, and flags after the object's id. */
const at = { mtime: 8, mode: 24, size: 36, id: 40 } as const
const headerBytes = 12
const extended = 0x4000
const pathMask = 0xfff

/** One entry of an index. */
interface IndexEntry {
  readonly offset: number
  readonly path: Buffer
  readonly mode: number
  readonly mtimeSeconds: number
}

/** Entries of an index of version 2 or 3. `undefined` for another file. `idBytes` is the length of its object ids. */
export const indexEntries = (index: Buffer, idBytes: number): ReadonlyArray<IndexEntry> | undefined => {
  if (index.length < headerBytes + idBytes || index.toString("latin1", 0, 4) !== "DIRC") return undefined
  const version = index.readUInt32BE(4)
  if (version !== 2 && version !== 3) return undefined
  const entries: Array<IndexEntry> = []
  const end = index.length - idBytes
  let offset = headerBytes
  for (let left = index.readUInt32BE(8); left > 0; left--) {
    if (offset + at.id + idBytes + 4 > end) return undefined
    const flags = index.readUInt16BE(offset + at.id + idBytes)
    const start = offset + at.id + idBytes + ((flags & extended) === 0 ? 2 : 4)
    const length = flags & pathMask
    const stop = length < pathMask ? start + length : index.indexOf(0, start)
    if (stop < 0 || stop >= end) return undefined
    entries.push({
      offset,
      path: index.subarray(start, stop),
      mode: index.readUInt32BE(offset + at.mode),
      mtimeSeconds: index.readUInt32BE(offset + at.mtime)
    })
    // One to eight NULs pad the entry to a multiple of eight.
    offset += (stop - offset + 8) & ~7
  }
  return entries
}

/** State of a file in the index. `undefined` makes git read the content. */
interface BelievedStat {
  readonly mtimeSeconds: number
  readonly size: number
}

export const believe = (index: Buffer, entry: IndexEntry, stat: BelievedStat | undefined) => {
  index.fill(0, entry.offset, entry.offset + at.mode)
  index.writeUInt32BE(stat?.mtimeSeconds ?? 0, entry.offset + at.mtime)
  index.writeUInt32BE((stat?.size ?? 0) >>> 0, entry.offset + at.size)
}

/** Updates the checksum of a changed index. */
export const sealIndex = (index: Buffer, idBytes: number) => {
  const body = index.subarray(0, index.length - idBytes)
  createHash(idBytes === 20 ? "sha1" : "sha256").update(body).digest().copy(index, body.length)
}
