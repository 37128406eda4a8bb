import type { FirstIds } from "./first-ids.ts"
import { Handshake } from "./handshake.ts"
import { clientKeys, cryptoPieces, decrypted, type LongPacket, readPacket } from "./quic-packet.ts"

/** What happens to a datagram of the guest. */
export type DatagramVerdict =
  /** The datagram goes out, and before it those that were held for what it brings. */
  | { readonly _tag: "Send"; readonly held: ReadonlyArray<Buffer> }
  /** The datagram waits until the rest of its handshake is here. */
  | { readonly _tag: "Hold" }
  /** Lost, as in any network. */
  | { readonly _tag: "Drop" }
  | { readonly _tag: "Denied"; readonly detail: string }

/** QUIC connections of one flow that have not been followed by another. */
const MAX_CONNECTIONS = 8
/** Bytes of datagrams that wait for the rest of their handshakes. */
const MAX_HELD_BYTES = 32_768

const send: DatagramVerdict = { _tag: "Send", held: [] }
const hold: DatagramVerdict = { _tag: "Hold" }
const drop: DatagramVerdict = { _tag: "Drop" }

/** A packet that is read: the bytes of the handshake up to which it has to be judged. */
interface Reading {
  readonly _tag: "Read"
  readonly connection: Handshake
  readonly end: number
}

const isJudged = ({ connection, end }: Reading) => connection.judgedBytes >= end

/**
 * Compares the server names of QUIC handshakes with the name of the flow. Each Initial packet of the guest is read, since a flow may carry
 * several connections; the keys are made from the packet itself. No part of a handshake goes out before the whole was judged: a server may put
 * parts of several flows together. A packet that cannot be read is dropped: the server could not read it either.
 * Other protocols pass. Reading takes keys and ciphers, so a packet is dropped where `mayRead` says no: clients send it again.
 */
export const quicJudge = (
  name: string,
  mayRead: () => boolean,
  ids: FirstIds
): (datagram: Buffer) => DatagramVerdict => {
  let connections: ReadonlyArray<Handshake> = []
  let held: ReadonlyArray<{ readonly datagram: Buffer; readonly readings: ReadonlyArray<Reading> }> = []

  const begin = (packet: LongPacket) => {
    const connection = new Handshake(clientKeys(packet.version, packet.destination))
    const frames = decrypted(packet, connection.keys)
    if (frames === undefined || !ids.take(packet.destination)) return undefined
    connections = [...connections, connection].slice(-MAX_CONNECTIONS)
    held = held.filter(({ readings }) => readings.every((one) => connections.includes(one.connection)))
    return { connection, frames }
  }
  const open = (packet: LongPacket) => {
    for (const connection of connections) {
      const frames = decrypted(packet, connection.keys)
      if (frames !== undefined) return { connection, frames }
    }
    return begin(packet)
  }

  const readInitial = (packet: LongPacket): Reading | DatagramVerdict => {
    const opened = open(packet)
    const pieces = opened && cryptoPieces(opened.frames)
    if (opened === undefined || pieces === undefined) return drop
    const { connection } = opened
    if (!pieces.every((piece) => connection.add(piece))) return drop
    const detail = connection.judge(name)
    if (detail !== undefined) return { _tag: "Denied", detail }
    const end = pieces.reduce((most, { data, offset }) => Math.max(most, offset + data.length), 0)
    return { _tag: "Read", connection, end }
  }

  const settle = (datagram: Buffer, readings: ReadonlyArray<Reading>): DatagramVerdict => {
    if (readings.length === 0) return send
    if (!readings.every(isJudged)) {
      const heldBytes = held.reduce((sum, one) => sum + one.datagram.length, datagram.length)
      if (heldBytes > MAX_HELD_BYTES) return drop
      // A copy: a view would keep all bytes that arrived with the datagram.
      held = [...held, { datagram: Buffer.from(datagram), readings }]
      return hold
    }
    const released = held.filter((one) => one.readings.every(isJudged))
    held = held.filter((one) => !released.includes(one))
    return { _tag: "Send", held: released.map((one) => one.datagram) }
  }

  return (datagram) => {
    const readings: Array<Reading> = []
    let left = datagram
    while (left.length > 0) {
      const read = readPacket(left)
      if (read._tag === "Other") break
      if (read._tag === "Malformed") return drop
      if (read._tag === "UnreadVersion") {
        return {
          _tag: "Denied",
          detail: `the guest speaks a version of QUIC whose server name cannot be read, and the flow is to ${name}`
        }
      }
      if (read.packet.isInitial) {
        if (!mayRead()) return drop
        const reading = readInitial(read.packet)
        if (reading._tag !== "Read") return reading
        readings.push(reading)
      }
      left = read.rest
    }
    return settle(datagram, readings)
  }
}
