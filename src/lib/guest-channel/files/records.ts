import { EFBIG } from "../model/errors.ts"
import type {
  ComparedSide,
  Difference,
  EntryType,
  ReadResult,
  WalkEntry,
  WatchRecord,
  WrittenFile
} from "../model/files.ts"
import { bytes, decodePayload, offset, str, struct, u32, u64, u8, type ValueOf } from "../wire/control.ts"
import { Violation } from "../wire/violation.ts"

/** Longer than any record of a path: neither side can name a longer one. */
const MAX_RECORD_BYTES = 65_536

/** Cuts a stream into records that begin with their u32 length. Buffers at most one record. */
class RecordCutter<A> {
  readonly #kind: string
  readonly #read: (payload: Buffer) => A
  #held = Buffer.alloc(0)

  /** `read` may keep parts of its argument, and throws `Violation`. */
  constructor(kind: string, read: (payload: Buffer) => A) {
    this.#kind = kind
    this.#read = read
  }

  /** Throws `Violation`. */
  push(chunk: Uint8Array): Array<A> {
    const all = withHeld(this.#held, chunk)
    const records: Array<A> = []
    let at = 0
    while (all.length - at >= 4) {
      const length = all.readUInt32BE(at)
      if (length > MAX_RECORD_BYTES) throw new Violation(`a ${this.#kind} record of ${length} bytes`)
      if (all.length - at - 4 < length) break
      records.push(this.#read(all.subarray(at + 4, at + 4 + length)))
      at += 4 + length
    }
    this.#held = Buffer.from(all.subarray(at))
    return records
  }

  end() {
    if (this.#held.length > 0) throw new Violation(`a ${this.#kind} ends within a record`)
  }
}

const withHeld = (held: Buffer, chunk: Uint8Array): Buffer => {
  const view = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  return held.length === 0 ? view : Buffer.concat([held, view])
}

/** Bit of a record's mode (guest-agent/src/wire.h). */
const MODE_ATTRIBUTES = 1 << 16

const walkRecord = struct({
  type: u8,
  mode: u32,
  uid: u32,
  gid: u32,
  size: offset,
  ino: u64,
  mtimeNs: u64,
  ctimeNs: u64,
  nlink: u32,
  path: str,
  linkTarget: bytes
})

const entryTypes = {
  f: "file",
  d: "directory",
  l: "symlink",
  c: "character",
  b: "block",
  p: "fifo",
  s: "socket"
} as const satisfies Readonly<Record<string, EntryType>>
const typeOf = (letter: number): EntryType | undefined =>
  (entryTypes as Readonly<Record<string, EntryType | undefined>>)[String.fromCharCode(letter)]

const readEntry = (payload: Buffer): WalkEntry => {
  const { path, type: letter, ...fields } = decodePayload(walkRecord, payload)
  const type = typeOf(letter)
  if (type === undefined) throw new Violation(`a walk entry of unknown type ${letter}`)
  return {
    ...fields,
    mode: fields.mode & ~MODE_ATTRIBUTES,
    type,
    path: path as Uint8Array,
    ...((fields.mode & MODE_ATTRIBUTES) === 0 ? {} : { hasAttributes: true })
  }
}

/** Cuts the output of a walk into entries. */
export const walkDecoder = () => new RecordCutter("walk", readEntry)

const side = { type: u8, mode: u32, size: offset }
const differenceRecord = struct({
  old: struct(side),
  new: struct(side),
  path: str,
  oldLink: bytes,
  newLink: bytes
})

/** The letter `m`. */
const MOUNT = 0x6d

const sideOf = (
  { mode, size, type }: ValueOf<typeof differenceRecord>["old"],
  linkTarget: Uint8Array,
  which: "old" | "new"
): ComparedSide | undefined => {
  if (type === 0) return undefined
  const name = type === MOUNT && which === "new" ? "mount" : typeOf(type)
  if (name === undefined) throw new Violation(`a compared entry of unknown type ${type}`)
  if (mode > 0o7777) throw new Violation(`a compared entry of mode ${mode.toString(8)}`)
  // A copy: the rest of the record's buffer need not stay as long.
  return { type: name, mode, size, linkTarget: Uint8Array.from(linkTarget) }
}

const readDifference = (payload: Buffer): Difference => {
  const { new: after, newLink, old: before, oldLink, path } = decodePayload(differenceRecord, payload)
  const difference = {
    path: Uint8Array.from(path as Uint8Array),
    old: sideOf(before, oldLink, "old"),
    new: sideOf(after, newLink, "new")
  }
  if (difference.old === undefined && difference.new === undefined) throw new Violation("a difference of nothing")
  if (!isRelative(difference.path)) throw new Violation("a compared entry whose path leads elsewhere")
  return difference
}

const watchRecord = struct({ what: u8, isDirectory: u8, path: str, from: str })

/** By the number of a record. */
const watched = ["ready", "created", "modified", "removed", "renamed", "loss", "unwatched"] as const

const readWatch = (payload: Buffer): WatchRecord => {
  const { from: old, isDirectory: flag, path: now, what } = decodePayload(watchRecord, payload)
  const _tag = watched[what]
  // Copies: the rest of the record's buffer need not stay as long.
  const [path, from] = [Uint8Array.from(now as Uint8Array), Uint8Array.from(old as Uint8Array)]
  for (const one of [path, from]) {
    if (one.length > 0 && !isRelative(one)) throw new Violation("a watched entry whose path leads elsewhere")
  }
  const isDirectory = flag !== 0
  switch (_tag) {
    case undefined:
      throw new Violation(`a watch record of unknown kind ${what}`)
    case "ready":
    case "loss":
      return { _tag }
    case "unwatched":
      return { _tag, path }
    case "renamed":
      return { _tag, path, from, isDirectory }
    default:
      return { _tag, path, isDirectory }
  }
}

/** Cuts the output of a watch into records. */
export const watchDecoder = () => new RecordCutter("watch", readWatch)

const SLASH = 0x2f
const DOT = 0x2e

/** Whether every component is a name: not empty, not `.`, not `..`. */
const isRelative = (path: Uint8Array) => {
  let start = 0
  for (let at = 0; at <= path.length; at++) {
    if (at < path.length && path[at] !== SLASH) continue
    const length = at - start
    if (length === 0 || (length <= 2 && path.subarray(start, at).every((byte) => byte === DOT))) return false
    start = at + 1
  }
  return true
}

/** u32 errno and u64 size, after the piece without bytes. */
const END_BYTES = 12

/** Cuts the output of a comparison into differences. */
export const differenceDecoder = () => new RecordCutter("compare", readDifference)

/** Cuts the output of READ_MANY into one result for each path. Buffers one file, up to the limit. */
export class ContentDecoder {
  readonly #files: number
  readonly #limit: number
  #held: Buffer = Buffer.alloc(0)
  #pieces: Array<Buffer> = []
  #size = 0
  #read = 0

  constructor(expected: { readonly files: number; readonly limit: number }) {
    this.#files = expected.files
    this.#limit = expected.limit
  }

  /** Throws `Violation`. */
  push(chunk: Uint8Array): Array<ReadResult> {
    const all = withHeld(this.#held, chunk)
    const results: Array<ReadResult> = []
    let at = 0
    while (all.length - at >= 4) {
      const length = all.readUInt32BE(at)
      if (length > MAX_PIECE_BYTES) throw new Violation(`a piece of content of ${length} bytes`)
      const end = at + 4 + (length === 0 ? END_BYTES : length)
      if (all.length < end) break
      if (length === 0) results.push(this.#finish(all.subarray(at + 4, end)))
      else this.#add(all.subarray(at + 4, end))
      at = end
    }
    this.#held = Buffer.from(all.subarray(at))
    return results
  }

  end() {
    if (this.#held.length > 0 || this.#pieces.length > 0) throw new Violation("contents end within a file")
    if (this.#read !== this.#files) throw new Violation(`contents of ${this.#read} files instead of ${this.#files}`)
  }

  #add(piece: Buffer) {
    this.#size += piece.length
    if (this.#size > this.#limit) throw new Violation(`a file of more than the ${this.#limit} bytes asked for`)
    this.#pieces.push(Buffer.from(piece))
  }

  #finish(end: Buffer): ReadResult {
    const errno = end.readUInt32BE(0)
    const size = end.readBigUInt64BE(4)
    if (++this.#read > this.#files) throw new Violation("contents of more files than were asked for")
    if (size > BigInt(Number.MAX_SAFE_INTEGER)) throw new Violation(`a file of ${size} bytes`)
    if (errno === 0 && Number(size) !== this.#size) throw new Violation("a file of another size than its content")
    if (errno === EFBIG && Number(size) <= this.#limit) throw new Violation("a file that is not too large after all")
    const content = errno === 0 ? Buffer.concat(this.#pieces, this.#size) : Buffer.alloc(0)
    this.#pieces = []
    this.#size = 0
    return { errno, size: Number(size), content }
  }
}

/** Bytes that the agent reads at a time. */
const MAX_PIECE_BYTES = 65_536

export const FILE_STATE_BYTES = 21

const stateRecord = struct({ flags: u8, mode: u32, size: offset, version: u64 })

/** Throws `Violation`. */
export const readFileState = (bytes: Buffer): WrittenFile => {
  const { flags, mode, size, version } = decodePayload(stateRecord, bytes)
  if (flags > 1 || mode > 0o7777 || version === 0n) throw new Violation("a file's state that cannot be")
  return { created: flags === 1, mode, size, version: version.toString(16).padStart(16, "0") }
}
