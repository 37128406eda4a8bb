import { bytesOf } from "../../../system/files/folded-name.ts"
import type { TreeEntry } from "./tree.ts"

/**
 * Archives in GNU tar's format, which GNU tar, bsdtar, Python, Go and Node's libraries read. Names are bytes of any length, and
 * sizes have no limit. Equal entries give equal bytes: no owner, and one time for all.
 */
const BLOCK_BYTES = 512

/** 1980-01-01, the oldest time that all archive tools take without a warning. */
const TIME = 315_532_800
const NAME_BYTES = 100
/** Largest size that fits eleven octal digits. */
const OCTAL_MOST = 0o77777777777

const types = { file: "0", directory: "5", symlink: "2" } as const

/** Names of directories end with a slash in archives. */
const nameOf = ({ path, type }: TreeEntry) => bytesOf(type === "directory" ? `${path}/` : path)

const padded = (bytes: Uint8Array) => Buffer.concat([bytes, Buffer.alloc(padding(bytes.length))])

/** Bytes that fill the last block of a content. */
export const padding = (size: number): number => (BLOCK_BYTES - size % BLOCK_BYTES) % BLOCK_BYTES

/** Two empty blocks. */
export const archiveEnd = Buffer.alloc(2 * BLOCK_BYTES)

const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, "0")}\0`

const block = (fields: {
  readonly name: Uint8Array
  readonly mode: number
  readonly size: number
  readonly type: string
  readonly target: Uint8Array
}) => {
  const header = Buffer.alloc(BLOCK_BYTES)
  header.set(fields.name.subarray(0, NAME_BYTES), 0)
  header.write(octal(fields.mode, 7), 100, "latin1")
  header.write(octal(0, 7), 108, "latin1")
  header.write(octal(0, 7), 116, "latin1")
  if (fields.size <= OCTAL_MOST) header.write(octal(fields.size, 11), 124, "latin1")
  else {
    header[124] = 0x80
    header.writeBigUInt64BE(BigInt(fields.size), 128)
  }
  header.write(octal(TIME, 11), 136, "latin1")
  header.write("        ", 148, "latin1")
  header.write(fields.type, 156, "latin1")
  header.set(fields.target.subarray(0, NAME_BYTES), 157)
  header.write("ustar  \0", 257, "latin1")
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1")
  return header
}

const none = new Uint8Array(0)

/** A name that is too long for a header, in an entry of its own before it. */
const longName = (type: "K" | "L", name: Uint8Array) => {
  if (name.length <= NAME_BYTES) return []
  const content = Buffer.concat([name, Buffer.alloc(1)])
  const header = block({ name: bytesOf("././@LongLink"), mode: 0o644, size: content.length, type, target: none })
  return [header, padded(content)]
}

/** All headers before an entry's content. */
export const entryHeader = (entry: TreeEntry): Buffer => {
  const name = nameOf(entry)
  const target = entry.target === undefined ? none : bytesOf(entry.target)
  const { mode, size } = entry
  return Buffer.concat([
    ...longName("K", target),
    ...longName("L", name),
    block({ name, mode, size, type: types[entry.type], target })
  ])
}

/** Archive size of these entries, in bytes. The root itself has no entry. */
export const archiveSize = (entries: ReadonlyArray<TreeEntry>): number =>
  entries.reduce(
    (sum, entry) => entry.path === "" ? sum : sum + entryHeader(entry).length + entry.size + padding(entry.size),
    archiveEnd.length
  )
