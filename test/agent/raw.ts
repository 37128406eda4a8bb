import { Effect } from "effect"
import { randomBytes } from "node:crypto"
import {
  decodePayload,
  encodeControl,
  FrameDecoder,
  HelloFlag,
  HelloSearch,
  HostMessage,
  type Message,
  TAKEOVER_FILLER_BYTES
} from "../support/guest-channel/guest-wire.ts"
import { Agent, until } from "./agent.ts"
import { openUnixSocket } from "./unix-socket.ts"

interface AgentFrame {
  readonly stream: number
  readonly kind: number
  readonly payload: Buffer
}

/** The same with more flags of its hello. */
export const openRawWith = (flags: number) =>
  Effect.gen(function*() {
    const { socketPath } = yield* Agent
    const socket = yield* openUnixSocket(socketPath)
    const nonce = randomBytes(16)
    const search = new HelloSearch(nonce)
    const frames: Array<AgentFrame> = []
    const decoder = new FrameDecoder((stream, kind, payload) =>
      frames.push({ stream, kind, payload: Buffer.from(payload) })
    )
    let greeted = false
    socket.on("error", () => {})
    socket.on("data", (chunk: Buffer) => {
      const bytes = greeted ? chunk : search.push(chunk)
      if (bytes === undefined) return
      greeted = true
      decoder.push(bytes)
    })
    const send = <A>(message: Message<A>, stream: number, fields: A) =>
      socket.write(encodeControl(stream, message.kind, message.fields, fields))
    socket.write(Buffer.alloc(TAKEOVER_FILLER_BYTES))
    send(HostMessage.Hello, 0, { nonce, version: 1, flags: HelloFlag.forget | flags })
    return {
      frames,
      write: (bytes: Uint8Array) => socket.write(bytes),
      send,
      framesOf: <A>(message: Message<A>) =>
        frames.filter(({ kind }) => kind === message.kind).map(({ payload, stream }) => ({
          stream,
          ...decodePayload(message.fields, payload)
        })),
      /** Waits for a frame of a kind about a stream. */
      frameFor: <A>(message: Message<A>, stream: number) => {
        const find = () => frames.find((frame) => frame.kind === message.kind && frame.stream === stream)
        return until(`frame 0x${message.kind.toString(16)} for ${stream}`, () => find() !== undefined).pipe(
          Effect.map(() => decodePayload(message.fields, find()?.payload ?? Buffer.alloc(0)))
        )
      }
    }
  })

/** A host that says anything, right or wrong, and keeps every frame the agent sends after its hello. */
export const openRaw = openRawWith(0)
