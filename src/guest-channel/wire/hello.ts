import { HEADER_BYTES, MARK } from "./frame.ts"
import { AgentMessage, CONNECTION } from "./messages.ts"
import { Violation } from "./violation.ts"

const NONCE_BYTES = 16
/** From the mark of the agent's hello to its nonce: header and the nonce's own count. */
const LEAD_BYTES = HEADER_BYTES + 4
/** More than a socket, a virtqueue and QEMU buffer together. Only a hostile guest sends more before its hello. */
const MAX_DISCARDED_BYTES = 16 * 1024 * 1024

/**
 * Finds the agent's hello in the raw bytes. What precedes it is the rest of an older connection, cut anywhere,
 * so it cannot be read as frames; only the nonce, minted for this connection, tells where the new one begins.
 */
export class HelloSearch {
  readonly #nonce: Uint8Array
  #carry = Buffer.alloc(0)
  #discarded = 0

  constructor(nonce: Uint8Array) {
    this.#nonce = nonce
  }

  /** Bytes from the hello's mark on, once it is there. */
  push(chunk: Buffer): Buffer | undefined {
    const bytes = this.#carry.length === 0 ? chunk : Buffer.concat([this.#carry, chunk])
    for (let at = bytes.indexOf(this.#nonce); at >= 0; at = bytes.indexOf(this.#nonce, at + 1)) {
      const start = at - LEAD_BYTES
      if (start >= 0 && isHello(bytes, start)) return bytes.subarray(start)
    }
    this.#carry = Buffer.from(bytes.subarray(Math.max(0, bytes.length - (LEAD_BYTES + NONCE_BYTES - 1))))
    this.#discarded += chunk.length
    if (this.#discarded > MAX_DISCARDED_BYTES) {
      throw new Violation(`no hello within ${MAX_DISCARDED_BYTES} bytes`)
    }
    return undefined
  }
}

const isHello = (bytes: Buffer, at: number) =>
  bytes[at] === MARK && bytes.readUInt32BE(at + 4) === CONNECTION && bytes[at + 8] === AgentMessage.Hello.kind &&
  bytes.readUInt32BE(at + HEADER_BYTES) === NONCE_BYTES
