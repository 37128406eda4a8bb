import { fronting } from "../../both/first-bytes/inspect.ts"
import { readHandshake } from "../../both/first-bytes/tls.ts"
import type { CryptoPiece, Keys } from "./quic-packet.ts"

/** Bytes of a handshake that a client may send before its keys change: as of TLS over TCP. */
const MAX_HANDSHAKE_BYTES = 16_384
/** Parts of a handshake with missing bytes between them. Clients shuffle some ten. */
const MAX_RANGES = 64

/** From the first byte to the byte behind the last. */
type Range = readonly [from: number, to: number]

/** The handshake of one QUIC connection, as far as its Initial packets carry it. */
export class Handshake {
  readonly keys: Keys
  #bytes: Buffer = Buffer.alloc(0)
  /** Bytes that have arrived, as ranges in order. */
  #have: ReadonlyArray<Range> = []
  /** Bytes of the messages that were judged, from the first byte on. */
  judgedBytes = 0

  constructor(keys: Keys) {
    this.keys = keys
  }

  /** False, and nothing is added, if a piece says something else than an earlier one, lies too far behind, or leaves too many gaps. */
  add({ data, offset }: CryptoPiece): boolean {
    const end = offset + data.length
    if (end > MAX_HANDSHAKE_BYTES) return false
    const touching = this.#have.filter(([from, to]) => to >= offset && from <= end)
    const merged: Range = [
      touching.reduce((least, [from]) => Math.min(least, from), offset),
      touching.reduce((most, [, to]) => Math.max(most, to), end)
    ]
    const ranges = [...this.#have.filter((range) => !touching.includes(range)), merged].sort(([a], [b]) => a - b)
    if (ranges.length > MAX_RANGES || touching.some((range) => this.#contradicts(range, offset, data))) return false
    this.#grow(end)
    data.copy(this.#bytes, offset)
    this.#have = ranges
    return true
  }

  /** The reason against the messages that are whole now. */
  judge(name: string): string | undefined {
    const [first] = this.#have
    if (first === undefined || first[0] !== 0) return undefined
    while (this.judgedBytes + 4 <= first[1]) {
      const message = this.#bytes.subarray(this.judgedBytes, first[1])
      const size = 4 + message.readUIntBE(1, 3)
      if (this.judgedBytes + size > MAX_HANDSHAKE_BYTES) return "the TLS ClientHello of QUIC is too long"
      if (message.length < size) return undefined
      const detail = fronting(name, readHandshake(message.subarray(0, size)))
      if (detail !== undefined) return detail
      this.judgedBytes += size
    }
    return undefined
  }

  #contradicts([from, to]: Range, offset: number, data: Buffer) {
    const start = Math.max(from, offset)
    const stop = Math.min(to, offset + data.length)
    return start < stop && !this.#bytes.subarray(start, stop).equals(data.subarray(start - offset, stop - offset))
  }

  #grow(bytes: number) {
    if (bytes <= this.#bytes.length) return
    const larger = Buffer.alloc(Math.min(MAX_HANDSHAKE_BYTES, Math.max(bytes, 2 * this.#bytes.length)))
    this.#bytes.copy(larger)
    this.#bytes = larger
  }
}
