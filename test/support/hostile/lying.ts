import {
  AgentMessage,
  decodePayload,
  encodeControl,
  HEADER_BYTES,
  HostMessage,
  type Message
} from "../guest-channel/guest-wire.ts"
import type { Corpus, Frame } from "./corpus.ts"
import type { Lies } from "./lies.ts"
import { mutatedData } from "./mutations.ts"
import type { Random } from "./random.ts"

const { DataOut, EndOut, Exited, Failed, Result, Started, State } = AgentMessage

/** A frame's bytes, without the rules of what may be said when. */
export const bytesOf = <A>(message: Message<A>, stream: number, fields: A) =>
  encodeControl(stream, message.kind, message.fields, fields)

export const frameOf = <A>(message: Message<A>, stream: number, fields: A): Frame => {
  const bytes = bytesOf(message, stream, fields)
  return { stream, kind: message.kind, payload: bytes.subarray(HEADER_BYTES, bytes.length - 1) }
}

/** The most that the agent puts in one frame. */
export const DATA_BYTES = 32_768

export const hostileText = (random: Random) =>
  random.chance(0.5)
    ? Buffer.from(random.bytes(random.below(120)).map((byte) => byte === 0 ? 1 : byte))
    : random.pick([
      "",
      "\u001b[2J\u001b]0;x\u0007",
      "../canary/planted",
      "a\nb\r\nc",
      "x".repeat(random.below(3_000)),
      "%s%n",
      "\u202e"
    ])

/** Streams that no older connection ever had, with room for as much output as the host takes. */
export const madeUpStates = (random: Random): ReadonlyArray<Frame> =>
  Array.from({ length: random.between(1, 12) }, (_, at) => {
    const acked = random.pick([0, 0, 1_000_000])
    return frameOf(State, at + 1, {
      id: random.bytes(16),
      opener: random.pick([3, 3, 3, 0x0a, 0x0b, 0x0c, 0x0d]),
      phase: 1,
      pid: random.below(70_000),
      window: 1_048_576,
      inOffset: 0,
      acked1: acked,
      acked2: acked,
      end: undefined
    })
  })

/** Where lies come from. */
export interface Liar {
  readonly random: Random
  readonly corpus: Corpus
  readonly lies: Lies
}

const contentFor = ({ corpus, lies, random }: Liar, request: Frame | undefined) => {
  const data = () => mutatedData(random, corpus, 4_096)
  switch (request?.kind) {
    case HostMessage.Walk.kind:
      return lies.walk()
    case HostMessage.File.kind:
      return random.chance(0.5) ? lies.walk() : data()
    case HostMessage.Watch.kind:
      return data()
    case HostMessage.Compare.kind:
      return lies.compare()
    case HostMessage.Read.kind:
      return lies.file(data())
    case HostMessage.Write.kind:
      return lies.file(Buffer.alloc(0))
    case HostMessage.ReadMany.kind:
      return lies.contents(decodePayload(HostMessage.ReadMany.fields, request.payload).paths.length, data)
    default:
      return undefined
  }
}

/** The same exchange with other content, offsets kept right; undefined where there is nothing to lie about. */
export const lyingAnswer = (
  liar: Liar,
  { frames, request, stream }: {
    readonly stream: number
    readonly request: Frame | undefined
    readonly frames: ReadonlyArray<Frame>
  }
): ReadonlyArray<Frame> | undefined => {
  const { random } = liar
  if (frames.some(({ kind }) => kind === Result.kind)) {
    const errno = random.pick([0, 1, 2, 5, 22, 28, 110, 0xffff_ffff])
    const detail = errno === 0 ? "" : hostileText(random)
    return [frameOf(Result, stream, { errno, detail, result: Buffer.alloc(0) })]
  }
  if (random.chance(0.2)) {
    const fields = { errno: random.between(1, 140), step: random.between(1, 9), detail: hostileText(random) }
    return [frameOf(Failed, stream, fields)]
  }
  const content = contentFor(liar, request)
  if (content === undefined) return undefined
  const said: Array<Frame> = frames.filter(({ kind }) => kind === Started.kind)
  for (let offset = 0; offset < content.length; offset += DATA_BYTES) {
    said.push(frameOf(DataOut, stream, { output: 1, offset, data: content.subarray(offset, offset + DATA_BYTES) }))
  }
  said.push(frameOf(EndOut, stream, { output: 1, offset: content.length }))
  return [...said, frameOf(Exited, stream, { how: 0, code: 0, durationNs: 1n })]
}
