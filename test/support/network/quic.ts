import * as crypto from "node:crypto"

// RFC 9000, 17.2.2; RFC 9001, 5.2 to 5.4. Written without pyro's own reader, which this tests.

const SALT = Buffer.from("38762cf7f55934b34d179ae6a4c80cadccbb7f0a", "hex")

const hmac = (key: Buffer, data: Buffer) => crypto.createHmac("sha256", key).update(data).digest()

const expand = (secret: Buffer, label: string, bytes: number) => {
  const text = Buffer.from(`tls13 ${label}`)
  return hmac(secret, Buffer.concat([Buffer.from([0, bytes, text.length]), text, Buffer.from([0, 1])])).subarray(
    0,
    bytes
  )
}

/** A variable-length integer of four bytes, which any number below 2^30 may have. */
const integer = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE((value | 0x80000000) >>> 0)
  return bytes
}

/** A frame with a piece of a handshake. */
export const cryptoFrame = (offset: number, data: Buffer): Buffer =>
  Buffer.concat([Buffer.from([6]), integer(offset), integer(data.length), data])

const vector = (lengthBytes: number, content: Buffer) => {
  const length = Buffer.alloc(lengthBytes)
  length.writeUIntBE(content.length, 0, lengthBytes)
  return Buffer.concat([length, content])
}

/** A ClientHello of TLS 1.3, as far as a reader of names looks. */
export const clientHello = (name: string): Buffer => {
  const serverName = vector(2, Buffer.concat([Buffer.from([0]), vector(2, Buffer.from(name))]))
  const extensions = Buffer.concat([Buffer.from([0, 0]), vector(2, serverName)])
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    vector(1, Buffer.alloc(0)),
    vector(2, Buffer.from([0x13, 1])),
    vector(1, Buffer.from([0])),
    vector(2, extensions)
  ])
  return Buffer.concat([Buffer.from([1]), vector(3, body)])
}

/** A client's Initial packet of version 1, which has the frames and padding. */
export const initialPacket = (id: Buffer, frames: Buffer, number = 0): Buffer => {
  const padded = Buffer.concat([frames, Buffer.alloc(Math.max(0, 1_162 - frames.length))])
  const head = Buffer.concat([
    Buffer.from([0xc1, 0, 0, 0, 1]),
    vector(1, id),
    Buffer.from([0, 0]),
    integer(2 + padded.length + 16),
    Buffer.from([number >> 8, number & 0xff])
  ])
  const secret = expand(hmac(SALT, id), "client in", 32)
  const nonce = expand(secret, "quic iv", 12)
  nonce[10]! ^= number >> 8
  nonce[11]! ^= number & 0xff
  const cipher = crypto.createCipheriv("aes-128-gcm", expand(secret, "quic key", 16), nonce).setAAD(head)
  const packet = Buffer.concat([head, cipher.update(padded), cipher.final(), cipher.getAuthTag()])
  const numberAt = head.length - 2
  const mask = crypto.createCipheriv("aes-128-ecb", expand(secret, "quic hp", 16), null).setAutoPadding(false)
    .update(packet.subarray(numberAt + 4, numberAt + 20))
  packet[0]! ^= mask[0]! & 0x0f
  packet[numberAt]! ^= mask[1]!
  packet[numberAt + 1]! ^= mask[2]!
  return packet
}
