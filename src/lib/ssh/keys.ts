import { generateKeyPairSync, randomBytes } from "node:crypto"

/** An Ed25519 key in the forms that OpenSSH reads. */
export interface SshKey {
  /** File of the private key, without a passphrase. */
  readonly privateText: string
  /** Line of the public key: `ssh-ed25519 BASE64`. */
  readonly publicLine: string
}

const TYPE = "ssh-ed25519"
const MAGIC = "openssh-key-v1\0"
/** The private part is filled up to the block size of the cipher `none`. */
const BLOCK_BYTES = 8
const LINE_CHARACTERS = 70

const u32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** `string` of RFC 4251: length and bytes. */
const string = (value: Uint8Array | string) => {
  const bytes = Buffer.from(value as string, "utf8")
  return Buffer.concat([u32(bytes.length), bytes])
}

/** The private key as `ssh-keygen` writes it (PROTOCOL.key of OpenSSH). */
const privateTextOf = (seed: Buffer, publicBytes: Buffer, publicBlob: Buffer, comment: string) => {
  const check = randomBytes(4)
  const secret = Buffer.concat([
    check,
    check,
    string(TYPE),
    string(publicBytes),
    string(Buffer.concat([seed, publicBytes])),
    string(comment)
  ])
  const fill = (BLOCK_BYTES - secret.length % BLOCK_BYTES) % BLOCK_BYTES
  const body = Buffer.concat([
    Buffer.from(MAGIC, "latin1"),
    string("none"),
    string("none"),
    string(""),
    u32(1),
    string(publicBlob),
    string(Buffer.concat([secret, Buffer.from(Array.from({ length: fill }, (_, index) => index + 1))]))
  ]).toString("base64")
  const lines = body.match(new RegExp(`.{1,${LINE_CHARACTERS}}`, "g")) ?? []
  return ["-----BEGIN OPENSSH PRIVATE KEY-----", ...lines, "-----END OPENSSH PRIVATE KEY-----", ""].join("\n")
}

/** Makes a key. The comment is in the private file alone. */
export const makeKey = (comment: string): SshKey => {
  const { d = "", x = "" } = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" })
  const publicBytes = Buffer.from(x, "base64url")
  const publicBlob = Buffer.concat([string(TYPE), string(publicBytes)])
  return {
    privateText: privateTextOf(Buffer.from(d, "base64url"), publicBytes, publicBlob, comment),
    publicLine: `${TYPE} ${publicBlob.toString("base64")}`
  }
}

/** The public line of a private key that `makeKey` made. Undefined for any other text. */
export const publicLineOf = (privateText: string): string | undefined => {
  const [, body] = /^-----BEGIN OPENSSH PRIVATE KEY-----\n([A-Za-z0-9+/=\n]+)-----END OPENSSH PRIVATE KEY-----\n$/
    .exec(privateText) ?? []
  if (body === undefined) return undefined
  const bytes = Buffer.from(body, "base64")
  // The magic, three strings without content for the cipher `none`, and the number of keys come before the public key.
  const at = MAGIC.length + string("none").length * 2 + string("").length + 4
  if (bytes.length < at + 4) return undefined
  const blob = bytes.subarray(at + 4, at + 4 + bytes.readUInt32BE(at))
  return blob.length === 4 + TYPE.length + 4 + 32 ? `${TYPE} ${blob.toString("base64")}` : undefined
}
