import { Violation } from "../wire/violation.ts"

/** Cuts a stream into records that begin with their u32 length; holds at most one record. */
export class RecordCutter<A> {
  readonly #kind: string
  readonly #maxBytes: number
  readonly #read: (payload: Buffer) => A
  #held = Buffer.alloc(0)

  /** `read` may keep parts of its argument, and throws `Violation`. */
  constructor(kind: string, maxBytes: number, read: (payload: Buffer) => A) {
    this.#kind = kind
    this.#maxBytes = maxBytes
    this.#read = read
  }

  /** Throws `Violation`. */
  push(chunk: Uint8Array): Array<A> {
    const view = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const all = this.#held.length === 0 ? view : Buffer.concat([this.#held, view])
    const records: Array<A> = []
    let at = 0
    while (all.length - at >= 4) {
      const length = all.readUInt32BE(at)
      if (length > this.#maxBytes) throw new Violation(`a ${this.#kind} record of ${length} bytes`)
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
