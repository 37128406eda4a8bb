import type { EntryType, WalkEntry } from "../files.ts"
import { RecordCutter } from "../streams/record-cutter.ts"
import { bytes, offset, Reader, str, struct, u32, u64, u8 } from "../wire/control.ts"
import { Violation } from "../wire/violation.ts"

/** Longer than any record with two names of PATH_MAX; a deeper path than that the agent cannot name either. */
const MAX_RECORD_BYTES = 65_536

/** Bit of a record's mode (guest-agent/src/wire.h). */
const MODE_ATTRIBUTES = 1 << 16

const record = struct({
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

export const entryTypes = {
  f: "file",
  d: "directory",
  l: "symlink",
  c: "character",
  b: "block",
  p: "fifo",
  s: "socket"
} as const satisfies Readonly<Record<string, EntryType>>
type TypeLetter = keyof typeof entryTypes

/** Cuts the output of a walk into entries; holds at most one record. */
export class WalkDecoder extends RecordCutter<WalkEntry> {
  constructor() {
    super("walk", MAX_RECORD_BYTES, (payload) => readEntry(payload))
  }
}

const readEntry = (payload: Buffer): WalkEntry => {
  const from = new Reader(payload)
  const { path, type, ...fields } = record.read(from)
  from.end()
  const letter = String.fromCharCode(type)
  if (!(letter in entryTypes)) throw new Violation(`a walk entry of unknown type ${type}`)
  return {
    ...fields,
    mode: fields.mode & ~MODE_ATTRIBUTES,
    type: entryTypes[letter as TypeLetter],
    path: path as Uint8Array,
    ...((fields.mode & MODE_ATTRIBUTES) === 0 ? {} : { hasAttributes: true })
  }
}
