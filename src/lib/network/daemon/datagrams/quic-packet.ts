import * as crypto from "node:crypto"

// QUIC: RFC 9000, 17.2 (long header) and 16 (integers); RFC 9001, 5.2 to 5.4 (keys of Initial packets); RFC 9369 (version 2).

interface Version {
  readonly salt: Buffer
  /** Labels of key, IV and header protection. */
  readonly labels: readonly [string, string, string]
  /** Type bits of an Initial packet. */
  readonly initial: number
}

const V1_LABELS = ["quic key", "quic iv", "quic hp"] as const

const version1: Version = {
  salt: Buffer.from("38762cf7f55934b34d179ae6a4c80cadccbb7f0a", "hex"),
  labels: V1_LABELS,
  initial: 0
}

const VERSIONS: ReadonlyMap<number, Version> = new Map([
  [0x00000001, version1],
  [0x6b3343cf, {
    salt: Buffer.from("0dede3def700a6db819381be6e269dcbf9bd2ed9", "hex"),
    labels: ["quicv2 key", "quicv2 iv", "quicv2 hp"],
    initial: 1
  }]
])

/**
 * Drafts, Google's versions before the standard, Meta's, and Microsoft's. Servers may speak them; pyro does not read their first packets.
 */
const isUnreadVersion = (version: number) => {
  const [first, second] = [version >>> 24, (version >>> 16) & 0xff]
  return (version >>> 8) === 0xff0000 || ((first === 0x51 || first === 0x54) && second === 0x30) ||
    (version >>> 8) === 0xfaceb0 || (version >>> 8) === 0xabcd00
}

const MAX_CONNECTION_ID_BYTES = 20

/** A packet with a long header, as one of several in a datagram. */
export interface LongPacket {
  readonly version: Version
  readonly isInitial: boolean
  readonly destination: Buffer
  /** From the first byte of the header to the end of the packet. */
  readonly bytes: Buffer
  /** Place of the protected packet number. */
  readonly numberAt: number
}

export type Read =
  /** Not QUIC, or a packet without a long header. */
  | { readonly _tag: "Other" }
  | { readonly _tag: "UnreadVersion" }
  | { readonly _tag: "Malformed" }
  | { readonly _tag: "Packet"; readonly packet: LongPacket; readonly rest: Buffer }

/** A variable-length integer and the place behind it; `undefined` if it is cut short. */
const integerAt = (bytes: Buffer, at: number): readonly [number, number] | undefined => {
  if (at >= bytes.length) return undefined
  const size = 1 << (bytes[at]! >> 6)
  if (at + size > bytes.length) return undefined
  let value = bytes[at]! & 0x3f
  for (let i = 1; i < size; i++) value = value * 256 + bytes[at + i]!
  return [value, at + size]
}

const malformed: Read = { _tag: "Malformed" }
const other: Read = { _tag: "Other" }

/** Reads the first packet of bytes of a datagram. */
export const readPacket = (bytes: Buffer): Read => {
  // Also without the fixed bit, which some servers do not ask for (RFC 9287).
  if (bytes.length < 7 || bytes[0]! < 0x80) return other
  const number = bytes.readUInt32BE(1)
  if (isUnreadVersion(number)) return { _tag: "UnreadVersion" }
  const version = VERSIONS.get(number)
  if (version === undefined) return other
  const destinationEnd = 6 + bytes[5]!
  const sourceAt = destinationEnd + 1
  if (bytes[5]! > MAX_CONNECTION_ID_BYTES || destinationEnd >= bytes.length) return malformed
  const sourceEnd = sourceAt + bytes[destinationEnd]!
  if (bytes[destinationEnd]! > MAX_CONNECTION_ID_BYTES || sourceEnd > bytes.length) return malformed
  const type = (bytes[0]! >> 4) & 3
  const isInitial = type === version.initial
  const isRetry = type === (version.initial + 3) % 4
  // A client sends no Retry, and nothing follows one.
  if (isRetry) return malformed
  let at = sourceEnd
  if (isInitial) {
    const token = integerAt(bytes, at)
    if (token === undefined) return malformed
    at = token[1] + token[0]
  }
  const length = integerAt(bytes, at)
  if (length === undefined || length[1] + length[0] > bytes.length) return malformed
  const end = length[1] + length[0]
  return {
    _tag: "Packet",
    packet: {
      version,
      isInitial,
      destination: bytes.subarray(6, destinationEnd),
      bytes: bytes.subarray(0, end),
      numberAt: length[1]
    },
    rest: bytes.subarray(end)
  }
}

export interface Keys {
  readonly key: Buffer
  readonly iv: Buffer
  readonly header: Buffer
}

/** HKDF-Expand-Label of TLS 1.3 (RFC 8446, 7.1) with SHA-256, for at most one block. */
const expanded = (secret: Buffer, label: string, bytes: number) => {
  const name = Buffer.from(`tls13 ${label}`, "latin1")
  const info = Buffer.concat([Buffer.from([0, bytes, name.length]), name, Buffer.from([0, 1])])
  return crypto.createHmac("sha256", secret).update(info).digest().subarray(0, bytes)
}

/** Keys of a client's Initial packets, which everyone on the way can make. */
export const clientKeys = ({ labels: [key, iv, header], salt }: Version, destination: Buffer): Keys => {
  const initial = crypto.createHmac("sha256", salt).update(destination).digest()
  const secret = expanded(initial, "client in", 32)
  return { key: expanded(secret, key, 16), iv: expanded(secret, iv, 12), header: expanded(secret, header, 16) }
}

const SAMPLE_BYTES = 16
const TAG_BYTES = 16

/** The frames of a packet; `undefined` if the keys are not those of the packet. */
export const decrypted = ({ bytes, numberAt }: LongPacket, { header, iv, key }: Keys): Buffer | undefined => {
  const sampleAt = numberAt + 4
  if (bytes.length < sampleAt + SAMPLE_BYTES) return undefined
  const cipher = crypto.createCipheriv("aes-128-ecb", header, null).setAutoPadding(false)
  const mask = cipher.update(bytes.subarray(sampleAt, sampleAt + SAMPLE_BYTES))
  const first = bytes[0]! ^ (mask[0]! & 0x0f)
  const numberBytes = (first & 3) + 1
  const head = Buffer.from(bytes.subarray(0, numberAt + numberBytes))
  head[0] = first
  for (let i = 0; i < numberBytes; i++) head[numberAt + i]! ^= mask[1 + i]!
  // Numbers of Initial packets are small: their low bytes are all of them.
  const nonce = Buffer.from(iv)
  for (let i = 0; i < numberBytes; i++) nonce[12 - numberBytes + i]! ^= head[numberAt + i]!
  const end = bytes.length - TAG_BYTES
  if (end < head.length) return undefined
  try {
    const decipher = crypto.createDecipheriv("aes-128-gcm", key, nonce).setAAD(head).setAuthTag(bytes.subarray(end))
    return Buffer.concat([decipher.update(bytes.subarray(head.length, end)), decipher.final()])
  } catch {
    return undefined
  }
}

/** A piece of the TLS handshake. */
export interface CryptoPiece {
  readonly offset: number
  readonly data: Buffer
}

const [PING, ACK, ACK_ECN, CRYPTO, CLOSE] = [1, 2, 3, 6, 0x1c]

/** Frames of one packet, without padding, and ranges of one acknowledgement. Clients need a few; a hostile one would take the host's time. */
const MAX_FRAMES = 256

/** The pieces of the handshake among the frames of an Initial packet; `undefined` for frames that none may have (RFC 9000, 12.4). */
export const cryptoPieces = (frames: Buffer): ReadonlyArray<CryptoPiece> | undefined => {
  const pieces: Array<CryptoPiece> = []
  let at = 0
  let isBad = false
  const integer = () => {
    const read = integerAt(frames, at)
    isBad ||= read === undefined
    at = read?.[1] ?? frames.length
    return read?.[0] ?? 0
  }
  const skipAck = (counts: number) => {
    integer() // largest
    integer() // delay
    const ranges = integer()
    integer() // first range
    isBad ||= ranges > MAX_FRAMES
    for (let i = 0; i < ranges * 2 + counts && !isBad; i++) integer()
  }
  for (let count = 0; !isBad; count++) {
    while (at < frames.length && frames[at]! <= PING) at++ // padding is 0
    if (at === frames.length) return pieces
    if (count === MAX_FRAMES) return undefined
    switch (integer()) {
      case 0:
      case PING:
        break
      case CRYPTO: {
        const offset = integer()
        const size = integer()
        if (isBad || at + size > frames.length) return undefined
        pieces.push({ offset, data: frames.subarray(at, at + size) })
        at += size
        break
      }
      // An end of the connection: what its reason says is no handshake.
      case CLOSE:
        return pieces
      case ACK:
        skipAck(0)
        break
      case ACK_ECN:
        skipAck(3)
        break
      default:
        return undefined
    }
  }
  return undefined
}
