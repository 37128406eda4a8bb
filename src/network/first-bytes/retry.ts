const ALERT_RECORD = 21
const HANDSHAKE_RECORD = 22
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
