import { EFBIG } from "../errors.ts"
import type { ReadResult } from "../files.ts"
import { Violation } from "../wire/violation.ts"

/** u32 errno and u64 size, behind the piece without bytes. */
const END_BYTES = 12

/** Cuts the output of READ_MANY into one result for each path; holds the file at hand, of the limit at most. */
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
    const view = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const all = this.#held.length === 0 ? view : Buffer.concat([this.#held, view])
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
