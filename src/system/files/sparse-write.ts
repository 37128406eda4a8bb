import { Effect } from "effect"
import { setSize } from "./content.ts"
import type { FileFailed } from "./failure.ts"
import { writeAt } from "./pieces.ts"

const PAGE_BYTES = 4096
const zeros = Buffer.alloc(PAGE_BYTES)

/** The runs of pages that are not all zeros, in bytes at a position of a file. A page may be in the bytes in part. */
function* dataIn(
  bytes: Uint8Array,
  position: number
): Generator<{ readonly start: number; readonly end: number }> {
  const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const pageEnd = (at: number) => Math.min(at + PAGE_BYTES - (position + at) % PAGE_BYTES, content.length)
  const isZero = (from: number, to: number) =>
    content[from] === 0 && content.compare(zeros, 0, to - from, from, to) === 0
  for (let start = 0; start < content.length;) {
    let end = pageEnd(start)
    if (!isZero(start, end)) {
      while (end < content.length && !isZero(end, pageEnd(end))) end = pageEnd(end)
      yield { start, end }
    }
    start = end
  }
}

/**
 * Writes bytes at a place of an open file that has no data there. Pages of zeros stay holes, also at the end of the file: `setSize` gives it
 * its length.
 */
const writeData = (
  fd: number,
  path: string,
  bytes: Uint8Array,
  position: number
): Effect.Effect<void, FileFailed> =>
  Effect.forEach(
    dataIn(bytes, position),
    ({ end, start }) => writeAt(fd, path, bytes.subarray(start, end), position + start),
    { discard: true }
  )

/** A new file that gets its bytes in order, and has holes in place of pages of zeros. */
export interface SparseFile {
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, FileFailed>
  /** Gives the file its length. */
  readonly end: Effect.Effect<void, FileFailed>
}

/** A writer of an open file without content. What a guest sends takes no more room here than there. */
export const sparseFile = (fd: number, path: string): SparseFile => {
  let position = 0
  return {
    write: (bytes) =>
      Effect.suspend(() => {
        const at = position
        position += bytes.length
        return writeData(fd, path, bytes, at)
      }),
    end: Effect.suspend(() => setSize(fd, path, position))
  }
}
