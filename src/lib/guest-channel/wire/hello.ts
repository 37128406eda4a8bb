import type { StreamBegin } from "../streams/stream.ts"
import { decodePayload } from "./control.ts"
import { readEnding } from "./ending.ts"
import { HEADER_BYTES, MARK } from "./frame.ts"
import { AgentMessage, CONNECTION, FIRST_CALL, flows, type OpenerKind } from "./messages.ts"
import { Violation } from "./violation.ts"

const NONCE_BYTES = 16
/** From the mark of the agent's hello to its nonce: header and the nonce's own count. */
const LEAD_BYTES = HEADER_BYTES + 4
/** More than a socket, a virtqueue and QEMU buffer together. Only a hostile guest sends more before its hello. */
const MAX_DISCARDED_BYTES = 16 * 1024 * 1024

/**
 * Finds the agent's hello in the raw bytes. The bytes before are the rest of an older connection, cut anywhere, so they cannot be read as frames. Only the nonce
 * of this connection shows where the new one begins.
 */
export class HelloSearch {
  readonly #nonce: Uint8Array
  #carry = Buffer.alloc(0)
  #discarded = 0

  constructor(nonce: Uint8Array) {
    this.#nonce = nonce
  }

  /** Bytes from the hello's mark on, once the hello has come. */
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

/** Commands and files (STREAMS_MAX of the agent) and connections to the outside (NETWORK_STREAMS_MAX). */
const MAX_STREAMS = 1_024 + 2_048
/** Total window of all streams of a takeover: the most that a guest can make this side buffer before a read. */
const MAX_WINDOWS_BYTES = 268_435_456

const openerOf = (kind: number) => Object.entries(flows).find(([, flow]) => flow.kind === kind)

/** A stream that outlived an older connection. */
export interface ResumableStream {
  /** Id it was opened with, 32 hexadecimal digits. */
  readonly id: string
  readonly number: number
  readonly opener: OpenerKind
  readonly phase: "running" | "ended"
  /** 0 for a stream that is no process. */
  readonly pid: number
}

/** The agent's hello, without its STATE frames. */
export interface AgentHello {
  readonly version: number
  /** Hash of the agent's sources. */
  readonly build: Uint8Array
  readonly nextStream: number
  readonly streams: number
}

export const readHello = (payload: Buffer, nonce: Uint8Array): AgentHello => {
  const hello = decodePayload(AgentMessage.Hello.fields, payload)
  if (Buffer.compare(hello.nonce, nonce) !== 0) throw new Violation("a hello with another nonce")
  if (hello.streams > MAX_STREAMS) throw new Violation(`${hello.streams} streams taken over, more than ${MAX_STREAMS}`)
  if (hello.nextStream < 1 || hello.nextStream > FIRST_CALL) throw new Violation(`next stream ${hello.nextStream}`)
  return { ...hello, build: hello.build as Uint8Array }
}

/** Reads the STATE frames that follow a hello, each checked against it and against the ones before. */
export class StateReader {
  readonly #nextStream: number
  readonly #ids = new Set<string>()
  readonly #numbers = new Set<number>()
  #windowBytes = 0

  constructor(hello: AgentHello) {
    this.#nextStream = hello.nextStream
  }

  read(number: number, payload: Buffer): { readonly stream: ResumableStream; readonly begin: StreamBegin } {
    const state = decodePayload(AgentMessage.State.fields, payload)
    const id = Buffer.from(state.id).toString("hex")
    const opener = openerOf(state.opener)
    if (opener === undefined) throw new Violation(`stream ${number} opened by kind 0x${state.opener.toString(16)}`)
    if (number < 1 || number >= this.#nextStream) {
      throw new Violation(`stream ${number} where ${this.#nextStream} comes next`)
    }
    if (this.#ids.has(id) || this.#numbers.has(number)) throw new Violation(`stream ${number} (${id}) named twice`)
    if (state.phase !== 1 && state.phase !== 2) throw new Violation(`stream ${number} in phase ${state.phase}`)
    if ((state.phase === 2) !== (state.end !== undefined)) {
      throw new Violation(`phase ${state.phase} does not fit its end`)
    }
    if (state.end !== undefined) readEnding(state.end.tag, state.end.payload as Buffer)
    this.#ids.add(id)
    this.#numbers.add(number)
    const [name, { input, outputs }] = opener
    // A connection to the outside is released at once: its other end has closed.
    if (name !== "accept") this.#windowBytes += state.window * outputs.length
    if (this.#windowBytes > MAX_WINDOWS_BYTES) throw new Violation(`windows beyond ${MAX_WINDOWS_BYTES} bytes together`)
    return {
      stream: {
        id,
        number,
        opener: name as OpenerKind,
        phase: state.phase === 1 ? "running" : "ended",
        pid: state.pid
      },
      begin: {
        window: state.window,
        outputs,
        // The agent does not report whether a process has an input. A process without one grants no credit.
        input,
        acked: [state.acked1, state.acked2],
        started: { pid: state.pid, inOffset: state.inOffset }
      }
    }
  }
}
