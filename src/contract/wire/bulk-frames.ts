import { roomBefore } from "./bulk-room.ts"

/** The first byte of a message with detached bytes. The library's messages begin with their length, which is never 0. */
const MARK = 0

// u8 0 | u32 length of the message | u32 number of pieces | the message | each piece: u32 length | bytes
const HEAD_BYTES = 9

/** A message and the bytes beside it. */
export interface BulkMessage {
  readonly message: Uint8Array
  readonly pieces: ReadonlyArray<Uint8Array>
}

const writeHead = (to: Buffer, { message, pieces }: BulkMessage) => {
  to[0] = MARK
  to.writeUInt32BE(message.length, 1)
  to.writeUInt32BE(pieces.length, 5)
  to.set(message, HEAD_BYTES)
  return HEAD_BYTES + message.length
}

/** The one piece and what is before it, where the piece has room for it. */
const encodeAround = (bulk: BulkMessage) => {
  const [piece, second] = bulk.pieces
  if (piece === undefined || second !== undefined) return undefined
  const all = roomBefore(piece, HEAD_BYTES + bulk.message.length + 4)
  if (all !== undefined) all.writeUInt32BE(piece.length, writeHead(all, bulk))
  return all
}

export const encodeBulk = (bulk: BulkMessage): Uint8Array => {
  const around = encodeAround(bulk)
  if (around !== undefined) return around
  const { message, pieces } = bulk
  const all = Buffer.allocUnsafeSlow(
    pieces.reduce((sum, { length }) => sum + 4 + length, HEAD_BYTES + message.length)
  )
  let at = writeHead(all, bulk)
  for (const piece of pieces) {
    all.writeUInt32BE(piece.length, at)
    all.set(piece, at + 4)
    at += 4 + piece.length
  }
  return all
}

/** Bytes that are gathered until they are as many as expected. */
interface Wanted {
  readonly bytes: Buffer
  have: number
  readonly then: (bytes: Buffer) => Wanted | undefined
}

const wanted = (size: number, then: Wanted["then"]): Wanted => ({ bytes: Buffer.allocUnsafeSlow(size), have: 0, then })

/** Cuts what arrives into the library's messages and messages with pieces, each of which gets memory of its own. */
export class BulkDecoder {
  readonly #mostBytes: number
  readonly #library: (bytes: Uint8Array) => void
  readonly #bulk: (message: BulkMessage) => void
  #wanted: Wanted | undefined
  /** Bytes until the end of the library's message, and the scale of the next byte of its length, which may be cut. */
  #left = 0
  #scale = 1
  #isInLength = false

  /** `mostBytes`: maximum bytes of a message, and of its pieces together. A message of more throws. */
  constructor(
    mostBytes: number,
    sinks: { readonly library: (bytes: Uint8Array) => void; readonly bulk: (message: BulkMessage) => void }
  ) {
    this.#mostBytes = mostBytes
    this.#library = sinks.library
    this.#bulk = sinks.bulk
  }

  push(chunk: Uint8Array) {
    let at = 0
    while (at < chunk.length) at = this.#wanted === undefined ? this.#takeLibrary(chunk, at) : this.#fill(chunk, at)
  }

  /** Passes on the library's messages up to the next one with pieces. */
  #takeLibrary(chunk: Uint8Array, from: number) {
    let at = from
    while (at < chunk.length) {
      if (this.#left > 0 && !this.#isInLength) {
        const step = Math.min(this.#left, chunk.length - at)
        this.#left -= step
        at += step
        continue
      }
      const byte = chunk[at]!
      if (!this.#isInLength && byte === MARK) break
      this.#left += (byte & 0x7f) * this.#scale
      this.#scale *= 128
      this.#isInLength = byte >= 0x80
      if (!this.#isInLength) this.#scale = 1
      at++
      // The library refuses the message, too.
      if (this.#left > this.#mostBytes) break
    }
    // In memory of its own: values of the library are views of it, and that of the chunk may be used again.
    if (at > from) this.#library(new Uint8Array(chunk.subarray(from, at)))
    if (this.#left > this.#mostBytes) throw new Error(`a message of ${this.#left} bytes`)
    if (at < chunk.length) this.#wanted = wanted(HEAD_BYTES, (head) => this.#begin(head))
    return at
  }

  #begin(head: Buffer): Wanted {
    const size = this.#limited(head.readUInt32BE(1), 0)
    const count = this.#limited(head.readUInt32BE(5) * 4, 0) / 4
    return wanted(size, (message) => this.#next({ message, pieces: [] }, count, 0))
  }

  #next(
    made: { readonly message: Buffer; readonly pieces: Array<Uint8Array> },
    count: number,
    sum: number
  ): Wanted | undefined {
    if (made.pieces.length === count) {
      this.#bulk(made)
      return undefined
    }
    return wanted(4, (length) => {
      const size = this.#limited(length.readUInt32BE(0), sum)
      return wanted(size, (piece) => {
        made.pieces.push(piece)
        return this.#next(made, count, sum + size)
      })
    })
  }

  #limited(size: number, before: number) {
    if (before + size > this.#mostBytes) throw new Error(`a message with ${before + size} bytes`)
    return size
  }

  #fill(chunk: Uint8Array, from: number) {
    let at = from
    while (this.#wanted !== undefined) {
      const { bytes, have, then } = this.#wanted
      const step = Math.min(bytes.length - have, chunk.length - at)
      bytes.set(chunk.subarray(at, at + step), have)
      this.#wanted.have += step
      at += step
      if (have + step < bytes.length) break
      this.#wanted = then(bytes)
    }
    return at
  }
}
