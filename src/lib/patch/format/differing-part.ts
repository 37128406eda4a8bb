/** The differing part of two contents, as whole lines, with lines of context around it. */
export interface DifferingPart {
  /** Start of the part in both contents, in `bytes`. Everything before is equal. */
  readonly start: number
  /** End of the part in each content, in `bytes`. Everything after it is equal. */
  readonly oldEnd: number
  readonly newEnd: number
}

const LINE_FEED = 0x0a
/** Bytes to compare at once. */
const BLOCK_BYTES = 64 * 1024

const view = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const commonStart = (one: Buffer, other: Buffer): number => {
  const most = Math.min(one.length, other.length)
  let at = 0
  while (at + BLOCK_BYTES <= most && one.compare(other, at, at + BLOCK_BYTES, at, at + BLOCK_BYTES) === 0) {
    at += BLOCK_BYTES
  }
  while (at < most && one[at] === other[at]) at++
  return at
}

/** Length of the common end, at most `most` bytes. */
const commonEnd = (one: Buffer, other: Buffer, most: number): number => {
  const [oneEnd, otherEnd] = [one.length, other.length]
  let count = 0
  for (let next = BLOCK_BYTES; next <= most; next += BLOCK_BYTES) {
    if (one.compare(other, otherEnd - next, otherEnd - count, oneEnd - next, oneEnd - count) !== 0) break
    count = next
  }
  while (count < most && one[oneEnd - 1 - count] === other[otherEnd - 1 - count]) count++
  return count
}

const isLineStart = (content: Buffer, at: number) => at === 0 || content[at - 1] === LINE_FEED

/** Start of the line before the one that starts at `at`. */
const lineBefore = (content: Buffer, at: number) => at < 2 ? 0 : content.lastIndexOf(LINE_FEED, at - 2) + 1

const lineBehind = (content: Buffer, at: number) => {
  const feed = content.indexOf(LINE_FEED, at)
  return feed < 0 ? content.length : feed + 1
}

/** Finds the part by memory comparisons: 10 ms for two contents of 64 MiB. */
export const differingPart = (before: Uint8Array, after: Uint8Array, contextLines: number): DifferingPart => {
  const [old, now] = [view(before), view(after)]
  const same = commonStart(old, now)
  let start = same === 0 ? 0 : old.lastIndexOf(LINE_FEED, same - 1) + 1
  const count = commonEnd(old, now, Math.min(old.length, now.length) - start)
  let [oldEnd, newEnd] = [old.length - count, now.length - count]
  if (!isLineStart(old, oldEnd) || !isLineStart(now, newEnd)) {
    const rest = lineBehind(old, oldEnd) - oldEnd
    oldEnd += rest
    newEnd += rest
  }
  for (let line = 0; line < contextLines; line++) {
    start = lineBefore(old, start)
    const rest = lineBehind(old, oldEnd) - oldEnd
    oldEnd += rest
    newEnd += rest
  }
  return { start, oldEnd, newEnd }
}

/** Line feeds in a content between two places; counts no further than `most`. */
export const countLines = (content: Uint8Array, from: number, to: number, most = Infinity): number => {
  let count = 0
  for (let at = from; at < to && count < most; at++) if (content[at] === LINE_FEED) count++
  return count
}
