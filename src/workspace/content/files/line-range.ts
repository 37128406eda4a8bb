import type { FileReadPayload } from "../../../contract/rows/workspace-file.ts"
import { wholeCharacters } from "../../../contract/text/utf8.ts"

export type LineRangeRequest = Pick<FileReadPayload, "startLine" | "lineCount" | "maxBytes">

/** Found lines of a range. */
interface FoundLines {
  readonly bytes: Uint8Array
  readonly lineCount: number
  /** The range has more than the maximum bytes. */
  readonly truncated: boolean
  /** Number of the only line, if just its beginning fits. */
  readonly cutLine: number | undefined
  /** Next line of a truncated range. `undefined` if there is none. */
  readonly nextLine: number | undefined
  /** Number of lines in the file. `undefined` if the end was not read. */
  readonly totalLines: number | undefined
}

const NEWLINE = 0x0a
/** As in git, a file is binary if its first bytes contain a NUL. */
const BINARY_BYTES = 8_000
/** Maximum bytes to read after the range, to count the file's lines. */
const COUNTED_BYTES = 33_554_432

/** Finds a range of lines in the bytes of a file as they arrive. Keeps at most `maxBytes` of them. */
export class LineRange {
  readonly #request: LineRangeRequest
  readonly #kept: Array<Uint8Array> = []
  #keptBytes = 0
  #overflowed = false
  /** Line of the next byte. */
  #line = 1
  #seenBytes = 0
  #seenBehind = 0
  #last = NEWLINE
  /** The beginning contains a NUL. */
  binary = false

  constructor(request: LineRangeRequest) {
    this.#request = request
  }

  get #endLine() {
    return this.#request.startLine + (this.#request.lineCount ?? Number.POSITIVE_INFINITY)
  }

  get #complete() {
    return this.#overflowed || this.#line >= this.#endLine
  }

  /** Adds the next bytes. Returns whether more are useful. */
  push(bytes: Uint8Array): boolean {
    if (bytes.length === 0) return true
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (this.#seenBytes < BINARY_BYTES && view.subarray(0, BINARY_BYTES - this.#seenBytes).includes(0)) {
      this.binary = true
    }
    if (this.binary) return false
    this.#seenBytes += view.length
    this.#last = view[view.length - 1]!
    if (this.#complete) this.#seenBehind += view.length
    this.#scan(view)
    return this.#seenBehind < COUNTED_BYTES
  }

  #scan(bytes: Buffer) {
    let from = this.#line >= this.#request.startLine ? 0 : -1
    let to = this.#line >= this.#endLine ? 0 : -1
    for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) {
      this.#line++
      if (this.#line === this.#request.startLine) from = at + 1
      if (this.#line === this.#endLine) to = at + 1
    }
    if (from !== -1) this.#keep(bytes.subarray(from, to === -1 ? bytes.length : to))
  }

  #keep(bytes: Uint8Array) {
    const room = this.#request.maxBytes - this.#keptBytes
    if (bytes.length > room) this.#overflowed = true
    if (bytes.length === 0 || room === 0) return
    const piece = bytes.subarray(0, room)
    this.#kept.push(piece)
    this.#keptBytes += piece.length
  }

  /** `whole`: the file was read to its end. */
  found(whole: boolean): FoundLines {
    const all = Buffer.concat(this.#kept)
    const bytes = this.#overflowed ? wholeLines(all) : all
    const endsOpen = bytes.length > 0 && bytes[bytes.length - 1] !== NEWLINE
    const lineCount = newlines(bytes) + (endsOpen ? 1 : 0)
    const next = this.#request.startLine + lineCount
    const seenLines = this.#line - (this.#last === NEWLINE ? 1 : 0)
    return {
      bytes,
      lineCount,
      truncated: this.#overflowed,
      cutLine: this.#overflowed && endsOpen ? this.#request.startLine : undefined,
      nextLine: this.#overflowed && next <= seenLines && next < this.#endLine ? next : undefined,
      totalLines: whole ? seenLines : undefined
    }
  }
}

const newlines = (bytes: Buffer) => {
  let count = 0
  for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) count++
  return count
}

/** The whole lines. Of a single longer line its beginning, up to the end of a character. */
const wholeLines = (bytes: Buffer) => {
  const end = bytes.lastIndexOf(NEWLINE)
  if (end !== -1) return bytes.subarray(0, end + 1)
  return bytes.subarray(0, wholeCharacters(bytes) || bytes.length)
}
