import { Effect } from "effect"
import { Duplex } from "node:stream"
import { type ConnectOptions, GuestChannel } from "../../../../src/lib/guest-channel/GuestChannel.ts"
import {
  AgentMessage,
  decodePayload,
  encodeControl,
  FrameDecoder,
  HostMessage,
  type Message
} from "../../../support/guest-channel/guest-wire.ts"

const nothing = Buffer.alloc(0)

/** One end of a byte stream within this process. */
class End extends Duplex {
  other: End | undefined
  /** What each write to the operating system would have carried. */
  readonly writes: Array<Buffer> = []
  /** Leaves what is written untaken, as a stopped guest does. */
  stopped = false

  override _read() {}
  override _write(chunk: Buffer, _encoding: string, done: () => void) {
    this.writes.push(Buffer.from(chunk))
    // In memory of its own, as a socket's: a piece of a pool would count as a piece of all of it.
    this.other?.push(Buffer.from(Uint8Array.from(chunk).buffer))
    if (!this.stopped) done()
  }
  override _final(done: () => void) {
    this.other?.push(null)
    done()
  }
}

const pair = () => {
  const host = new End()
  const agent = new End()
  host.other = agent
  agent.other = host
  return { host, agent }
}

export interface HostFrame {
  readonly stream: number
  readonly kind: number
  readonly payload: Buffer
}

/** The agent's end of a connection, in the hands of a test: it says what the test tells it to say. */
export class Peer {
  readonly host: End
  readonly #agent: End
  readonly frames: Array<HostFrame> = []
  readonly #waiting: Array<() => void> = []
  /** Bytes before the agent's hello, as an older connection leaves them. */
  prelude = Buffer.alloc(0)
  hello: { readonly version?: number; readonly nextStream?: number; readonly streams?: number } = {}
  /** Frames that follow the hello at once, as STATE frames do. */
  following: ReadonlyArray<Buffer> = []
  /** Whether it answers each CALL with an empty success, and each opener with STARTED. */
  answering = false

  constructor() {
    const { agent, host } = pair()
    this.host = host
    this.#agent = agent
    const decoder = new FrameDecoder((stream, kind, payload) => this.#receive({ stream, kind, payload }))
    agent.on("data", (chunk: Buffer) => decoder.push(chunk))
    agent.on("error", () => {})
  }

  #receive(frame: HostFrame) {
    this.frames.push(frame)
    if (frame.kind === HostMessage.Hello.kind) this.#greet(frame)
    else if (this.answering) this.#answer(frame)
    for (const wake of this.#waiting.splice(0)) wake()
  }

  #greet({ payload }: HostFrame) {
    const { nonce } = decodePayload(HostMessage.Hello.fields, payload)
    const fields = { nonce, version: 1, build: "test", nextStream: 1, streams: 0, ...this.hello }
    this.raw(Buffer.concat([this.prelude, frameOf(AgentMessage.Hello, 0, fields), ...this.following]))
  }

  #answer({ kind, payload, stream }: HostFrame) {
    if (kind === HostMessage.Call.kind) {
      // A ping's answer is its own bytes; the other calls used here answer with nothing.
      this.send(AgentMessage.Result, stream, {
        errno: 0,
        detail: "",
        result: payload[0] === 1 ? payload.subarray(1) : nothing
      })
    }
    if (kind === HostMessage.Spawn.kind) this.send(AgentMessage.Started, stream, { pid: 40 + stream })
  }

  /** Sends bytes, in chunks as a socket would bring them. */
  raw(bytes: Uint8Array) {
    for (let at = 0; at < bytes.length; at += 65_536) this.#agent.write(bytes.subarray(at, at + 65_536))
  }

  send<A>(message: Message<A>, stream: number, fields: A) {
    this.raw(frameOf(message, stream, fields))
  }

  end() {
    this.#agent.end()
  }

  framesOf<A>(message: Message<A>) {
    return this.frames.filter(({ kind }) => kind === message.kind).map(({ payload, stream }) => ({
      stream,
      ...decodePayload(message.fields, payload)
    }))
  }

  /** Waits until the host has sent `count` frames of a kind. */
  readonly received = <A>(message: Message<A>, count = 1) =>
    Effect.callback<ReadonlyArray<A & { readonly stream: number }>>((resume) => {
      const check = () => {
        const found = this.framesOf(message)
        if (found.length >= count) resume(Effect.succeed(found))
        else this.#waiting.push(check)
      }
      check()
    })

  connect(options: Partial<ConnectOptions> = {}) {
    return GuestChannel.connect({ open: Effect.succeed(this.host), takeover: false, ...options })
  }
}

export const frameOf = <A>(message: Message<A>, stream: number, fields: A) =>
  encodeControl(stream, message.kind, message.fields, fields)

/** A peer, and a channel to it that is greeted and open. */
export const connected = Effect.gen(function*() {
  const peer = new Peer()
  const channel = yield* peer.connect()
  return { peer, channel }
})
