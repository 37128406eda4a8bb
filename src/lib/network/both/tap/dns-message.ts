import { type Address, bytesOf } from "../../model/address.ts"

/** The question of a DNS query (RFC 1035, 4.1). */
export interface Question {
  readonly id: number
  readonly name: string
  readonly type: number
  /** The question's bytes, which an answer repeats. */
  readonly bytes: Buffer
  /** The client asks for recursion. */
  readonly flags: number
}

const HEADER_BYTES = 12
const CLASS_INTERNET = 1
const IS_RESPONSE = 0x8000
const OPCODE = 0x7800
const RECURSION_DESIRED = 0x0100
/** A response, with recursion available. */
const ANSWERED = 0x8080
const TRUNCATED = 0x0200

export const RCODE = { ok: 0, formatError: 1, serverFailure: 2, noSuchName: 3, notImplemented: 4, refused: 5 } as const

/** Labels of a name without compression, which no question has. */
const labelsAt = (message: Buffer, start: number) => {
  const labels: Array<string> = []
  let at = start
  for (;;) {
    const size = message[at]
    if (size === undefined || size > 63) return undefined
    if (size === 0) return { labels, end: at + 1 }
    const label = message.subarray(at + 1, at + 1 + size)
    // A label with a dot would look like two.
    if (label.length < size || label.includes(0x2e)) return undefined
    labels.push(label.toString("latin1"))
    at += 1 + size
    if (at - start > 255) return undefined
  }
}

/** Reads a query with one question; undefined for all other messages. */
export const readQuestion = (message: Buffer): Question | undefined => {
  if (message.length < HEADER_BYTES) return undefined
  const flags = message.readUInt16BE(2)
  if ((flags & (IS_RESPONSE | OPCODE)) !== 0 || message.readUInt16BE(4) !== 1) return undefined
  const name = labelsAt(message, HEADER_BYTES)
  if (name === undefined || name.end + 4 > message.length) return undefined
  if (message.readUInt16BE(name.end + 2) !== CLASS_INTERNET) return undefined
  return {
    id: message.readUInt16BE(0),
    name: name.labels.join("."),
    type: message.readUInt16BE(name.end),
    bytes: message.subarray(HEADER_BYTES, name.end + 4),
    flags
  }
}

/** An answer without its question. */
export interface Reply {
  readonly code: number
  /** Complete resource records, without compression. */
  readonly records: Buffer
  readonly count: number
}

const header = ({ flags, id }: Question, { code, count }: Reply, isCut: boolean) => {
  const bytes = Buffer.alloc(HEADER_BYTES)
  bytes.writeUInt16BE(id, 0)
  bytes.writeUInt16BE(ANSWERED | (flags & RECURSION_DESIRED) | (isCut ? TRUNCATED : 0) | code, 2)
  bytes.writeUInt16BE(1, 4)
  bytes.writeUInt16BE(count, 6)
  return bytes
}

/** The message of an answer. Without the records, and marked as cut, if the message is longer than `limit`. */
export const writeReply = (question: Question, reply: Reply, limit: number): Buffer => {
  const whole = Buffer.concat([header(question, reply, false), question.bytes, reply.records])
  return whole.length <= limit
    ? whole
    : Buffer.concat([header(question, { ...reply, count: 0 }, true), question.bytes])
}

/** Records of the question's name and type for addresses of the type's family. */
export const addressRecords = (type: number, addresses: ReadonlyArray<Address>, ttlSeconds: number): Buffer =>
  Buffer.concat(addresses.map((address) => {
    const data = bytesOf(address)
    const head = Buffer.alloc(12)
    // The name of the question, by a pointer.
    head.writeUInt16BE(0xc000 | HEADER_BYTES, 0)
    head.writeUInt16BE(type, 2)
    head.writeUInt16BE(CLASS_INTERNET, 4)
    head.writeUInt32BE(ttlSeconds, 6)
    head.writeUInt16BE(data.length, 10)
    return Buffer.concat([head, data])
  }))
