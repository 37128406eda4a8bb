import * as fs from "node:fs"
import type { Segment } from "./segment-files.ts"
import { HEAD_BYTES, type OutputName, readRun, seek, type SegmentStart, START_BYTES } from "./segment.ts"

/** The latest piece of a log. */
export interface RecentPiece {
  readonly from: OutputName
  readonly bytes: Uint8Array
  /** Cursor of its first byte. */
  readonly start: number
  /** Position of the write, if it was written. */
  readonly segment: Segment | undefined
  readonly offset: number
}

/** A log for its readers. */
export interface ReadableLog {
  /** Cursor of its end. */
  readonly position: number
  readonly segments: ReadonlyArray<Segment>
  readonly recent: RecentPiece | undefined
  /** Descriptor of one of its files, which the caller closes. `undefined` if the file is gone. */
  readonly open: (segment: Segment) => number | undefined
  readonly startOf: (segment: Segment) => SegmentStart | undefined
}

/** A piece of one output. */
export interface LoggedPiece {
  readonly from: OutputName
  readonly bytes: Uint8Array
  /** Cursor after the piece. */
  readonly next: number
}

/** Position in a file: `skip` bytes into the piece at `offset`. */
interface Place {
  readonly segment: Segment
  readonly offset: number
  readonly skip: number
}

/** Reads a log from a cursor on. Skips removed output. */
export class LogReader {
  readonly #log: ReadableLog
  readonly #onMove: () => void
  readonly #onClose: () => void
  position: number
  #skipped = 0
  #place: Place | undefined
  #file: { readonly segment: Segment; readonly fd: number } | undefined

  constructor(log: ReadableLog, cursor: number, onMove = () => {}, onClose = () => {}) {
    this.#log = log
    this.position = cursor
    this.#onMove = onMove
    this.#onClose = onClose
  }

  /** The next piece. None at the end of the available output. */
  next(): LoggedPiece | undefined {
    while (this.position < this.#log.position) {
      const piece = this.#recent() ?? this.#stored()
      if (piece !== undefined) {
        this.position = piece.next
        this.#onMove()
        return piece
      }
      this.#skip()
    }
    return undefined
  }

  /** Output from the position on, at most `maxBytes`. Ends before a gap, unless the gap comes first. */
  page(maxBytes: number): { readonly bytes: Buffer; readonly skipped: number } {
    const pieces: Array<Uint8Array> = []
    let skipped = 0
    for (let left = maxBytes; left > 0;) {
      const piece = this.next()
      const gap = this.takeSkipped()
      // Output after a gap belongs to the next page.
      if (gap > 0 && pieces.length > 0) break
      skipped += gap
      if (piece === undefined) break
      pieces.push(piece.bytes.subarray(0, left))
      left -= piece.bytes.length
    }
    return { bytes: Buffer.concat(pieces), skipped }
  }

  /** Number of removed bytes that the reader has skipped since the last call. */
  takeSkipped(): number {
    const skipped = this.#skipped
    this.#skipped = 0
    return skipped
  }

  close(): void {
    this.#closeFile()
    this.#onClose()
  }

  #recent(): LoggedPiece | undefined {
    const { recent } = this.#log
    if (recent === undefined || this.position < recent.start) return undefined
    const { from, offset, segment } = recent
    this.#place = segment === undefined
      ? undefined
      : { segment, offset: offset + HEAD_BYTES + recent.bytes.length, skip: 0 }
    const bytes = recent.bytes.subarray(this.position - recent.start)
    return { from, bytes, next: this.position + bytes.length }
  }

  #stored(): LoggedPiece | undefined {
    for (let place = this.#place ?? this.#find(); place !== undefined;) {
      const fd = this.#open(place.segment)
      const run = fd === undefined ? undefined : readRun(fd, place.offset, place.segment.size)
      if (run !== undefined) {
        this.#place = { segment: place.segment, offset: run.next, skip: 0 }
        const bytes = run.bytes.subarray(place.skip)
        return { from: run.from, bytes, next: this.position + bytes.length }
      }
      // The next file begins at the end of this one, or a gap follows.
      const found = this.#find()
      if (found?.segment === place.segment) return undefined
      place = found
    }
    return undefined
  }

  /** The file that contains the position, or that ends before it. */
  #find(): Place | undefined {
    const segment = this.#log.segments.findLast((one) => this.#begin(one) <= this.position)
    const fd = segment === undefined ? undefined : this.#open(segment)
    if (segment === undefined || fd === undefined) return undefined
    const before = this.position - this.#begin(segment)
    return { segment, ...(before === 0 ? { offset: START_BYTES, skip: 0 } : seek(fd, before, segment.size)) }
  }

  #begin(segment: Segment) {
    const start = this.#log.startOf(segment)
    return start === undefined ? Infinity : start.stdout + start.stderr
  }

  /** Moves to the next position that the log has. */
  #skip() {
    const begins = this.#log.segments.map((one) => this.#begin(one)).concat(this.#log.recent?.start ?? Infinity)
    const next = Math.min(this.#log.position, ...begins.filter((begin) => begin > this.position))
    this.#place = undefined
    this.#skipped += next - this.position
    this.position = next
    this.#onMove()
  }

  #open(segment: Segment) {
    if (this.#file?.segment === segment) return this.#file.fd
    this.#closeFile()
    const fd = this.#log.open(segment)
    if (fd !== undefined) this.#file = { segment, fd }
    return fd
  }

  #closeFile() {
    if (this.#file !== undefined) fs.closeSync(this.#file.fd)
    this.#file = undefined
  }
}
