import { fronting } from "../../both/first-bytes/inspect.ts"
import { readHandshake } from "../../both/first-bytes/tls.ts"
import { clientKeys, cryptoPieces, decrypted, type Keys, type LongPacket, readPacket } from "./quic-packet.ts"

/** What happens to a datagram of the guest. `Drop`: lost, as in any network. */
export type DatagramVerdict =
  | { readonly _tag: "Send" }
  | { readonly _tag: "Drop" }
  | { readonly _tag: "Denied"; readonly detail: string }

/** Bytes of a handshake that a client may send before its keys change: as of TLS over TCP. */
const MAX_HANDSHAKE_BYTES = 16_384
/** QUIC connections of one flow that have not been followed by another. */
const MAX_CONNECTIONS = 8

const send: DatagramVerdict = { _tag: "Send" }
const drop: DatagramVerdict = { _tag: "Drop" }

/** The handshake of one QUIC connection, as far as its Initial packets carry it. */
class Handshake {
  readonly keys: Keys
  readonly #bytes = Buffer.alloc(MAX_HANDSHAKE_BYTES)
  /** Bytes that have arrived, as ranges in order. */
  #have: Array<readonly [number, number]> = []
  #judged = 0

  constructor(keys: Keys) {
    this.keys = keys
  }

  /** False if a piece says something else than an earlier one, or lies too far behind. */
  add(offset: number, data: Buffer): boolean {
    const end = offset + data.length
    if (end > MAX_HANDSHAKE_BYTES) return false
    for (const [from, to] of this.#have) {
      const start = Math.max(from, offset)
      const stop = Math.min(to, end)
      if (start >= stop) continue
      if (!this.#bytes.subarray(start, stop).equals(data.subarray(start - offset, stop - offset))) return false
    }
    data.copy(this.#bytes, offset)
    const ranges: Array<readonly [number, number]> = [...this.#have, [offset, end]]
    ranges.sort(([a], [b]) => a - b)
    this.#have = ranges.reduce<Array<readonly [number, number]>>((merged, [from, to]) => {
      const last = merged.at(-1)
      if (last === undefined || from > last[1]) return [...merged, [from, to]]
      return [...merged.slice(0, -1), [last[0], Math.max(last[1], to)]]
    }, [])
    return true
  }

  /** The reason against the messages that are whole now. */
  judge(name: string): string | undefined {
    const [first] = this.#have
    if (first === undefined || first[0] !== 0) return undefined
    while (this.#judged + 4 <= first[1]) {
      const message = this.#bytes.subarray(this.#judged, first[1])
      const size = 4 + message.readUIntBE(1, 3)
      if (this.#judged + size > MAX_HANDSHAKE_BYTES) return "the TLS ClientHello of QUIC is too long"
      if (message.length < size) return undefined
      const detail = fronting(name, readHandshake(message.subarray(0, size)))
      if (detail !== undefined) return detail
      this.#judged += size
    }
    return undefined
  }
}

/**
 * Compares the server names of QUIC handshakes with the name of the flow. Each Initial packet of the guest is read, since a flow may carry
 * several connections; the keys are made from the packet itself. A packet that cannot be read is dropped: the server could not read it either.
 * Other protocols pass. Reading takes keys and ciphers, so a packet is dropped where `mayRead` says no: clients send it again.
 */
export const quicJudge = (name: string, mayRead: () => boolean): (datagram: Buffer) => DatagramVerdict => {
  let connections: ReadonlyArray<Handshake> = []

  const open = (packet: LongPacket) => {
    for (const connection of connections) {
      const frames = decrypted(packet, connection.keys)
      if (frames !== undefined) return { connection, frames }
    }
    const connection = new Handshake(clientKeys(packet.version, packet.destination))
    const frames = decrypted(packet, connection.keys)
    if (frames === undefined) return undefined
    connections = [...connections, connection].slice(-MAX_CONNECTIONS)
    return { connection, frames }
  }

  const judgeInitial = (packet: LongPacket): DatagramVerdict => {
    const opened = open(packet)
    const pieces = opened && cryptoPieces(opened.frames)
    if (opened === undefined || pieces === undefined) return drop
    if (!pieces.every(({ data, offset }) => opened.connection.add(offset, data))) return drop
    const detail = opened.connection.judge(name)
    return detail === undefined ? send : { _tag: "Denied", detail }
  }

  return (datagram) => {
    let left = datagram
    while (left.length > 0) {
      const read = readPacket(left)
      if (read._tag === "Other") return send
      if (read._tag === "Malformed") return drop
      if (read._tag === "OldVersion") {
        return {
          _tag: "Denied",
          detail: `the guest speaks a version of QUIC whose server name cannot be read, and the flow is to ${name}`
        }
      }
      if (read.packet.isInitial && !mayRead()) return drop
      const verdict = read.packet.isInitial ? judgeInitial(read.packet) : send
      if (verdict._tag !== "Send") return verdict
      left = read.rest
    }
    return send
  }
}
