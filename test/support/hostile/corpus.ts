import { AgentMessage, CONNECTION, FIRST_CALL, HostMessage } from "../guest-channel/guest-wire.ts"
import type { Random } from "./random.ts"
import type { RecordedFrame, Session } from "./recording.ts"

/** A frame as it is put on the wire. */
export interface Frame {
  readonly stream: number
  readonly kind: number
  readonly payload: Buffer
}

/** What the real agent answered to one request: at once, and after the end of the input that came with it. */
export interface Script {
  readonly atOnce: ReadonlyArray<RecordedFrame>
  readonly afterInput: ReadonlyArray<RecordedFrame>
}

const { AckIn, Hello, State } = AgentMessage
const { Ack, Call, DataIn, EndIn, Release, Resize, Signal } = HostMessage
const noRequest = new Set([HostMessage.Hello, DataIn, EndIn, Ack, Signal, Resize, Release].map(({ kind }) => kind))

/** Whether a frame of the host wants an answer. */
export const isRequest = ({ kind }: Frame) => !noRequest.has(kind)

/** Requests of one sort: openers by their kind, calls by their operation. */
const sortOf = ({ kind, payload }: Frame) => kind === Call.kind ? `call ${payload[0]}` : `opener ${kind}`

/** The same request again: all but the id that is minted for each opener. */
const sameOf = (frame: Frame) =>
  `${sortOf(frame)} ${(frame.kind === Call.kind ? frame.payload : frame.payload.subarray(20)).toString("latin1")}`

const put = <A>(map: Map<string, Array<A>>, key: string, value: A) => map.set(key, [...(map.get(key) ?? []), value])

/** What was recorded, as answers by request. */
export class Corpus {
  readonly #bySort = new Map<string, Array<Script>>()
  readonly #same = new Map<string, Array<Script>>()
  /** Every frame that the agent sent. */
  readonly frames: ReadonlyArray<RecordedFrame>
  readonly hellos: ReadonlyArray<RecordedFrame>
  readonly states: ReadonlyArray<RecordedFrame>
  /** What commands printed and files held. */
  readonly data: ReadonlyArray<Buffer>

  constructor(sessions: ReadonlyArray<Session>) {
    for (const session of sessions) this.#read(session)
    this.frames = sessions.flat().filter(({ from }) => from === "agent")
    const ofKind = (kind: number) => this.frames.filter((frame) => frame.kind === kind)
    this.hellos = ofKind(Hello.kind)
    this.states = ofKind(State.kind)
    this.data = ofKind(AgentMessage.DataOut.kind).map(({ payload }) => payload.subarray(9))
  }

  get sorts() {
    return [...this.#bySort.keys()]
  }

  #read(session: Session) {
    const open = new Map<
      number,
      { atOnce: Array<RecordedFrame>; afterInput: Array<RecordedFrame>; inputEnded: boolean }
    >()
    for (const frame of session) {
      const known = open.get(frame.stream)
      if (frame.from === "host" && frame.stream !== CONNECTION && isRequest(frame)) {
        const script = { atOnce: [], afterInput: [], inputEnded: false }
        open.set(frame.stream, script)
        put(this.#bySort, sortOf(frame), script)
        put(this.#same, sameOf(frame), script)
      } else if (known !== undefined && frame.from === "host" && frame.kind === EndIn.kind) {
        known.inputEnded = true
      } else if (known !== undefined && frame.from === "agent" && frame.kind !== AckIn.kind) {
        ;(known.inputEnded ? known.afterInput : known.atOnce).push(frame)
      }
    }
  }

  /** A recorded answer: most often to the very request, else to one of its sort, now and then to any. */
  answerTo(request: Frame, random: Random): Script {
    const same = this.#same.get(sameOf(request))
    const sort = this.#bySort.get(sortOf(request))
    const any = this.#bySort.get(random.pick(this.sorts))!
    if (random.chance(0.03)) return random.pick(any)
    return random.pick(same !== undefined && random.chance(0.8) ? same : sort ?? any)
  }
}

/** A recorded frame, for the stream that it is to be about now. */
export const onStream = ({ kind, payload, stream: recorded }: RecordedFrame, stream: number): Frame => ({
  kind,
  payload,
  stream: recorded === CONNECTION ? CONNECTION : stream
})

export const isCall = (stream: number) => stream >= FIRST_CALL
