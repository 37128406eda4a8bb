import { type Hello, malformed, needMore } from "./hello.ts"

// RFC 8446: 5.1 (record), 4 (handshake), 4.1.2 (ClientHello); RFC 6066, 3 (server_name); RFC 7301, 3.1 (ALPN).
const HANDSHAKE_RECORD = 22
const MAX_RECORD_BYTES = 16_384
const CLIENT_HELLO = 1
const SERVER_NAME = 0
const HOST_NAME = 0
const ALPN = 16

/** Reads big-endian fields; a field beyond the end makes `isShort` true and reads as zero or as no bytes. */
class Reader {
  readonly #bytes: Uint8Array
  #at = 0
  isShort = false

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get isAtEnd() {
    return this.#at >= this.#bytes.length
  }

  number(size: 1 | 2 | 3) {
    let value = 0
    for (const byte of this.take(size)) value = value * 256 + byte
    return value
  }

  take(size: number) {
    if (this.#at + size > this.#bytes.length) {
      this.isShort = true
      this.#at = this.#bytes.length
      return new Uint8Array(0)
    }
    const taken = this.#bytes.subarray(this.#at, this.#at + size)
    this.#at += size
    return taken
  }

  /** The bytes of a vector, which follow its length. */
  vector(lengthSize: 1 | 2 | 3) {
    return this.take(this.number(lengthSize))
  }
}

/** Length of the first handshake message with its head; undefined while the head is not whole. */
const messageBytes = (handshake: Uint8Array) =>
  handshake.length < 4 ? undefined : 4 + handshake[1]! * 65_536 + handshake[2]! * 256 + handshake[3]!

interface FirstMessage {
  /** Shorter than its length says while some records have not arrived. */
  readonly message: Uint8Array
  /** Bytes of its records. */
  readonly recordBytes: number
}

/** The first handshake message, out of the records that carry the message. */
const firstMessage = (bytes: Uint8Array): FirstMessage | Hello => {
  let message: Uint8Array = new Uint8Array(0)
  let at = 0
  while (at + 5 <= bytes.length) {
    if (message.length >= (messageBytes(message) ?? Infinity)) break
    if (bytes[at] !== HANDSHAKE_RECORD || bytes[at + 1] !== 3) {
      return malformed("a TLS record of another type precedes the end of the ClientHello")
    }
    const length = bytes[at + 3]! * 256 + bytes[at + 4]!
    if (length === 0 || length > MAX_RECORD_BYTES) return malformed("a TLS record has a wrong length")
    const content = bytes.subarray(at + 5, at + 5 + length)
    message = message.length === 0 ? content : Buffer.concat([message, content])
    at += 5 + length
  }
  return { message, recordBytes: at }
}

/** Content types of records that a server accepts before the ClientHello ends: Go ignores alerts there. */
const EARLY_RECORDS = [20, 21, HANDSHAKE_RECORD]

export const isEarlyRecord = (type: number): boolean => EARLY_RECORDS.includes(type)

/** A record whose version is not 3.x. Go reads every version below 16.0 in a first record. */
const readOddRecord = (bytes: Uint8Array): Hello => {
  const [type, major] = bytes as unknown as readonly [number, number]
  if (type === 20 || major >= 16) return { _tag: "Other" }
  if (bytes.length < 6) return needMore
  const isTls = type === HANDSHAKE_RECORD ? bytes[5] === CLIENT_HELLO : bytes[3] === 0 && bytes[4] === 2
  return isTls ? malformed("the version of a TLS record is unknown") : { _tag: "Other" }
}

/** Reads bytes that may be a ClientHello in the form of SSL 2.0, which has no server name (RFC 5246, E.2). */
export const readSsl2 = (bytes: Uint8Array): Hello => {
  if (bytes.length > 2 && bytes[2] !== CLIENT_HELLO) return { _tag: "Other" }
  if (bytes.length < 5) return needMore
  const isVersion = bytes[3] === 3 || (bytes[3] === 0 && bytes[4] === 2)
  return isVersion ? malformed("the TLS ClientHello has the form of SSL 2.0") : { _tag: "Other" }
}

/** Reads the ClientHello of bytes that begin like a TLS record. */
export const readTls = (bytes: Uint8Array): Hello => {
  if (bytes.length > 1 && bytes[1] !== 3) return readOddRecord(bytes)
  if (bytes.length < 2) return needMore
  if (bytes[0] !== HANDSHAKE_RECORD) return malformed("a TLS record of another type precedes the ClientHello")
  const first = firstMessage(bytes)
  if ("_tag" in first) return first
  const { message } = first
  if (message.length > 0 && message[0] !== CLIENT_HELLO) return malformed("the first TLS message is no ClientHello")
  const length = messageBytes(message)
  if (length === undefined || message.length < length) return needMore
  // A server would take the rest for the answer to its own HelloRetryRequest.
  if (message.length > length) return malformed("more follows the TLS ClientHello in its record")
  return readClientHello(new Reader(message.subarray(4, length)))
}

/** Bytes of the records that carry the first message, of bytes that `readTls` has read. */
export const helloBytes = (bytes: Uint8Array): number => {
  const first = firstMessage(bytes)
  return "_tag" in first ? 0 : first.recordBytes
}

/** Reads a whole handshake message, which comes without records in QUIC. */
export const readHandshake = (message: Uint8Array): Exclude<Hello, { readonly _tag: "NeedMore" }> =>
  message[0] === CLIENT_HELLO
    ? readClientHello(new Reader(message.subarray(4)))
    : malformed("the first TLS message is no ClientHello")

const readClientHello = (hello: Reader): Exclude<Hello, { readonly _tag: "NeedMore" }> => {
  hello.take(2 + 32) // legacy_version, random
  hello.vector(1) // legacy_session_id
  hello.vector(2) // cipher_suites
  hello.vector(1) // legacy_compression_methods
  if (hello.isShort) return malformed("the TLS ClientHello is cut short")
  if (hello.isAtEnd) return { _tag: "Tls", name: undefined }
  const extensions = new Reader(hello.vector(2))
  if (hello.isShort || !hello.isAtEnd) return malformed("the TLS ClientHello has a wrong length")
  let name: string | undefined
  let protocols: ReadonlyArray<string> | undefined
  while (!extensions.isAtEnd) {
    const type = extensions.number(2)
    const content = new Reader(extensions.vector(2))
    if (extensions.isShort) return malformed("a TLS extension is cut short")
    if (type === ALPN) protocols ??= readProtocols(content)
    if (type !== SERVER_NAME) continue
    if (name !== undefined) return malformed("the TLS ClientHello has two server names")
    name = readServerName(content)
    if (name === undefined) return malformed("the server name of the TLS ClientHello cannot be read")
  }
  return protocols === undefined ? { _tag: "Tls", name } : { _tag: "Tls", name, protocols }
}

/** The names of an ALPN extension. A server refuses an extension that is cut short. */
const readProtocols = (content: Reader): ReadonlyArray<string> => {
  const list = new Reader(content.vector(2))
  const names: Array<string> = []
  while (!list.isAtEnd) names.push(Buffer.from(list.vector(1)).toString("latin1"))
  return names
}

/** The one host name of a server_name extension. */
const readServerName = (content: Reader): string | undefined => {
  const list = new Reader(content.vector(2))
  const type = list.number(1)
  const name = list.vector(2)
  const isWhole = !content.isShort && content.isAtEnd && !list.isShort && list.isAtEnd
  return isWhole && type === HOST_NAME ? Buffer.from(name).toString("latin1") : undefined
}

const ALERT_RECORD = 21
const SERVER_HELLO = 2
/** Record head, message head and version, which precede the random bytes of a ServerHello. */
const BEFORE_RANDOM = 5 + 4 + 2
/** The random bytes of a ServerHello that asks for another ClientHello (RFC 8446, 4.1.3). */
const RETRY = Buffer.from("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c", "hex")
/** Records that a client may send between its two ClientHellos: a change of ciphers, and early data (RFC 8446, 4.2.10). */
const BETWEEN = [20, 23]

const recordBytes = (bytes: Uint8Array) => 5 + bytes[3]! * 256 + bytes[4]!

/** Whether a server's first bytes ask for another ClientHello. `undefined`: too few bytes. Alerts may precede. */
export const asksForRetry = (reply: Uint8Array): boolean | undefined => {
  if (reply.length > 0 && reply[0] !== ALERT_RECORD && reply[0] !== HANDSHAKE_RECORD) return false
  if (reply.length < 6) return undefined
  if (reply[0] === ALERT_RECORD) return asksForRetry(reply.subarray(recordBytes(reply)))
  if (reply[5] !== SERVER_HELLO) return false
  const random = reply.subarray(BEFORE_RANDOM, BEFORE_RANDOM + RETRY.length)
  if (!RETRY.subarray(0, random.length).equals(random)) return false
  return random.length === RETRY.length ? true : undefined
}

/** Bytes of the record in front, if it may precede a second ClientHello. `undefined`: the record is not whole. */
export const recordBeforeRetry = (bytes: Uint8Array): number | undefined => {
  if (!BETWEEN.includes(bytes[0]!)) return 0
  return bytes.length >= 5 && recordBytes(bytes) <= bytes.length ? recordBytes(bytes) : undefined
}
