import type { ComparedSide, Difference } from "../files.ts"
import { RecordCutter } from "../streams/record-cutter.ts"
import { bytes, offset, Reader, str, struct, u32, u8 } from "../wire/control.ts"
import { Violation } from "../wire/violation.ts"
import { entryTypes } from "./walk.ts"

/** Three names of PATH_MAX, of which a deeper path may be longer. */
const MAX_RECORD_BYTES = 65_536

const side = { type: u8, mode: u32, size: offset }
const record = struct({
  old: struct(side),
  new: struct(side),
  path: str,
  oldLink: bytes,
  newLink: bytes
})

export class DifferenceDecoder extends RecordCutter<Difference> {
  constructor() {
    super("compare", MAX_RECORD_BYTES, readDifference)
  }
}

/** The letter `m`. */
const MOUNT = 0x6d

const sideOf = (
  { mode, size, type }: { readonly type: number; readonly mode: number; readonly size: number },
  linkTarget: Uint8Array,
  which: "old" | "new"
): ComparedSide | undefined => {
  if (type === 0) return undefined
  const name = type === MOUNT && which === "new"
    ? "mount"
    : entryTypes[String.fromCharCode(type) as keyof typeof entryTypes]
  if (name === undefined) throw new Violation(`a compared entry of unknown type ${type}`)
  if (mode > 0o7777) throw new Violation(`a compared entry of mode ${mode.toString(8)}`)
  // A copy: the rest of the record's buffer need not live as long.
  return { type: name, mode, size, linkTarget: Uint8Array.from(linkTarget) }
}

const readDifference = (payload: Buffer): Difference => {
  const from = new Reader(payload)
  const { new: after, newLink, old: before, oldLink, path } = record.read(from)
  from.end()
  const difference = {
    path: Uint8Array.from(path as Uint8Array),
    old: sideOf(before, oldLink, "old"),
    new: sideOf(after, newLink, "new")
  }
  if (difference.old === undefined && difference.new === undefined) throw new Violation("a difference of nothing")
  if (!isRelative(difference.path)) throw new Violation("a compared entry whose path leads elsewhere")
  return difference
}

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
