import * as fs from "node:fs"

/**
 * A file of a command's log: a start, then pieces `u8 output | u32 length | bytes`. A crash may cut the last piece, which is then
 * ignored. The guest still has this piece, because only written output is acknowledged.
 *
 * The log of a command whose output is filtered also has marks, which are pieces of the outputs 3 (stdout) and 4 (stderr): `u64 from |
 * u64 done`, the position of the filter behind the pieces so far.
 */
export interface SegmentStart {
  /** Bytes of each output that came before. */
  readonly stdout: number
  readonly stderr: number
  /** Bytes of them that no segment has. */
  readonly dropped: number
}

export type OutputName = "stdout" | "stderr"

/** Position of an output's filter in the output of the guest. */
export interface Mark {
  readonly from: number
  readonly done: number
}
export type Marks = Readonly<Partial<Record<OutputName, Mark>>>

export const START_BYTES = 24
export const HEAD_BYTES = 5
const MARK_CONTENT_BYTES = 16
export const MARK_BYTES = HEAD_BYTES + MARK_CONTENT_BYTES
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

export const encodeMark = (from: OutputName, mark: Mark): Buffer => {
  const encoded = Buffer.allocUnsafe(MARK_BYTES)
  encoded[0] = from === "stdout" ? 3 : 4
  encoded.writeUInt32BE(MARK_CONTENT_BYTES, 1)
  encoded.writeBigUInt64BE(BigInt(mark.from), HEAD_BYTES)
  encoded.writeBigUInt64BE(BigInt(mark.done), HEAD_BYTES + 8)
  return encoded
}

const OUTPUTS = [undefined, "stdout", "stderr", "stdout", "stderr"] as const

const decodeHead = (block: Buffer, at: number) => {
  const output = block[at] ?? 0
  const from = OUTPUTS[output]
  const isMark = output > 2
  const length = block.readUInt32BE(at + 1)
  if (from === undefined || length === 0 || length > MAX_PIECE_BYTES) return undefined
  return isMark && length !== MARK_CONTENT_BYTES ? undefined : { from, isMark, length }
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

/** Counts the content of a segment of `end` bytes, and gives the end of its last whole piece, and the last marks. */
export const scan = (fd: number, end: number) => {
  const held = { stdout: 0, stderr: 0, end: START_BYTES }
  const marksAt: Partial<Record<OutputName, number>> = {}
  for (const { at, from, isMark, length } of heads(fd, START_BYTES, end)) {
    if (isMark) marksAt[from] = at
    else held[from] += length
    held.end = at + HEAD_BYTES + length
  }
  const marks: Partial<Record<OutputName, Mark>> = {}
  for (const from of ["stdout", "stderr"] as const) {
    const at = marksAt[from]
    if (at !== undefined) marks[from] = readMark(fd, at)
  }
  return { ...held, marks: marks as Marks }
}

const readMark = (fd: number, at: number): Mark => {
  const content = Buffer.alloc(MARK_CONTENT_BYTES)
  fs.readSync(fd, content, 0, MARK_CONTENT_BYTES, at + HEAD_BYTES)
  return { from: Number(content.readBigUInt64BE(0)), done: Number(content.readBigUInt64BE(8)) }
}

/** File offset of the byte at a position of the segment, or the end if there is none. */
export const seek = (fd: number, before: number, end: number) => {
  let passed = 0
  let offset = START_BYTES
  for (const { at, isMark, length } of heads(fd, START_BYTES, end)) {
    if (!isMark) {
      if (passed + length > before) return { offset: at, skip: before - passed }
      passed += length
    }
    offset = at + HEAD_BYTES + length
  }
  return { offset, skip: 0 }
}

export interface Run {
  readonly from: OutputName
  readonly bytes: Buffer
  /** Offset of the next piece. */
  readonly next: number
}

/** The piece at an offset, joined with small following pieces of the same output. Passes over marks. None at the end. */
export const readRun = (fd: number, begin: number, end: number): Run | undefined => {
  const whole = Buffer.allocUnsafe(Math.min(RUN_BYTES, Math.max(0, end - begin)))
  const read = fs.readSync(fd, whole, 0, whole.length, begin)
  const passed = markBytes(whole.subarray(0, read))
  if (passed > 0 && passed + HEAD_BYTES > read) {
    return read < whole.length
      ? undefined
      : readRun(fd, begin + passed, end)
  }
  const [block, filled, offset] = [whole.subarray(passed), read - passed, begin + passed]
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
    if (head === undefined || at + HEAD_BYTES + head.length > filled) break
    if (!head.isMark) {
      if (head.from !== from) break
      // Skips the heads in between: the content moves forward.
      block.copy(block, length, at + HEAD_BYTES, at + HEAD_BYTES + head.length)
      length += head.length
    }
    at += HEAD_BYTES + head.length
  }
  return { from, bytes: block.subarray(0, length), next: offset + at }
}

/** Number of bytes of the marks that a block begins with. */
const markBytes = (block: Buffer): number => {
  let at = 0
  while (at + MARK_BYTES <= block.length && decodeHead(block, at)?.isMark === true) at += MARK_BYTES
  return at
}
