import * as fs from "node:fs"

/**
 * A file of a command's log: a start, then pieces `u8 output | u32 length | bytes`. A crash may cut the last piece, which is then
 * ignored. The guest still has this piece, because only written output is acknowledged.
 */
export interface SegmentStart {
  /** Bytes of each output that came before. */
  readonly stdout: number
  readonly stderr: number
  /** Bytes of them that no segment has. */
  readonly dropped: number
}

export type OutputName = "stdout" | "stderr"

export const START_BYTES = 24
export const HEAD_BYTES = 5
/** Pieces come from frames of the channel. Frames are smaller, also when several are joined. */
const MAX_PIECE_BYTES = 16_777_216
/** Heads are read a page at a time, content by so much. */
const HEADS_BYTES = 4_096
const RUN_BYTES = 65_536

export const encodeStart = ({ dropped, stderr, stdout }: SegmentStart): Buffer => {
  const start = Buffer.alloc(START_BYTES)
  for (const [at, value] of [stdout, stderr, dropped].entries()) start.writeBigUInt64BE(BigInt(value), at * 8)
  return start
}

/** Start of a segment. `undefined` if a crash cut it. */
export const readStart = (fd: number): SegmentStart | undefined => {
  const start = Buffer.alloc(START_BYTES)
  if (fs.readSync(fd, start, 0, START_BYTES, 0) < START_BYTES) return undefined
  const [stdout, stderr, dropped] = [0, 8, 16].map((at) => Number(start.readBigUInt64BE(at))) as [
    number,
    number,
    number
  ]
  return [stdout, stderr, dropped].every(Number.isSafeInteger) ? { stdout, stderr, dropped } : undefined
}

export const encodeHead = (from: OutputName, length: number): Buffer => {
  const head = Buffer.allocUnsafe(HEAD_BYTES)
  head[0] = from === "stdout" ? 1 : 2
  head.writeUInt32BE(length, 1)
  return head
}

const decodeHead = (block: Buffer, at: number) => {
  const output = block[at]
  const length = block.readUInt32BE(at + 1)
  return (output === 1 || output === 2) && length > 0 && length <= MAX_PIECE_BYTES
    ? { from: output === 1 ? "stdout" as const : "stderr" as const, length }
    : undefined
}

/** Whole pieces from an offset on, without their content. */
function* heads(fd: number, offset: number, end: number) {
  const block = Buffer.allocUnsafe(HEADS_BYTES)
  let [begin, filled] = [offset, 0]
  for (let at = offset; at + HEAD_BYTES <= end;) {
    if (at + HEAD_BYTES > begin + filled) {
      begin = at
      filled = fs.readSync(fd, block, 0, HEADS_BYTES, at)
      if (filled < HEAD_BYTES) return
    }
    const head = decodeHead(block, at - begin)
    if (head === undefined || at + HEAD_BYTES + head.length > end) return
    yield { ...head, at }
    at += HEAD_BYTES + head.length
  }
}

/** Counts the content of a segment of `end` bytes, and gives the end of its last whole piece. */
export const scan = (fd: number, end: number) => {
  const held = { stdout: 0, stderr: 0, end: START_BYTES }
  for (const { at, from, length } of heads(fd, START_BYTES, end)) {
    held[from] += length
    held.end = at + HEAD_BYTES + length
  }
  return held
}

/** File offset of the byte at a position of the segment, or the end if there is none. */
export const seek = (fd: number, before: number, end: number) => {
  let passed = 0
  let offset = START_BYTES
  for (const { at, length } of heads(fd, START_BYTES, end)) {
    if (passed + length > before) return { offset: at, skip: before - passed }
    passed += length
    offset = at + HEAD_BYTES + length
  }
  return { offset, skip: 0 }
}

/** The piece at an offset, joined with small following pieces of the same output. None at the end. */
export const readRun = (fd: number, offset: number, end: number) => {
  const block = Buffer.allocUnsafe(Math.min(RUN_BYTES, Math.max(0, end - offset)))
  const filled = fs.readSync(fd, block, 0, block.length, offset)
  const first = filled < HEAD_BYTES ? undefined : decodeHead(block, 0)
  if (first === undefined || offset + HEAD_BYTES + first.length > end) return undefined
  const { from } = first
  if (HEAD_BYTES + first.length > filled) {
    const bytes = Buffer.allocUnsafe(first.length)
    const got = fs.readSync(fd, bytes, 0, first.length, offset + HEAD_BYTES)
    return got < first.length ? undefined : { from, bytes, next: offset + HEAD_BYTES + first.length }
  }
  let [at, length] = [0, 0]
  while (at + HEAD_BYTES <= filled) {
    const head = decodeHead(block, at)
    if (head?.from !== from || at + HEAD_BYTES + head.length > filled) break
    // Skips the heads in between: the content moves forward.
    block.copy(block, length, at + HEAD_BYTES, at + HEAD_BYTES + head.length)
    at += HEAD_BYTES + head.length
    length += head.length
  }
  return { from, bytes: block.subarray(0, length), next: offset + at }
}
