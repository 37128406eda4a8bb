import type { ChannelFailed } from "../../../contract/errors/errors.ts"
import { encodeFrame, numberFrame } from "../wire/frame.ts"
import { AgentMessage, FIRST_CALL, HostMessage } from "../wire/messages.ts"
import { Unencodable, Violation } from "../wire/violation.ts"
import { GuestStream, type StreamBegin, type StreamLink } from "./stream.ts"

/** The streams of one connection, by number. */
export class StreamTable {
  readonly #link: StreamLink
  readonly #streams = new Map<number, GuestStream>()
  /** Streams that were released while they ran, with the number of calls made before. Frames of these streams may still arrive. */
  readonly #forgotten = new Map<number, number>()
  #next = 1
  /** Number of the probe that the agent has not answered. */
  #probe: number | undefined

  constructor(link: StreamLink) {
    this.#link = link
  }

  get forgotten() {
    return this.#forgotten.size
  }

  /** Adds a stream under the next number, and writes this number into its opening `frame`, which the caller sends. Throws `Unencodable`. */
  open(begin: StreamBegin, frame: Buffer) {
    if (this.#next >= FIRST_CALL) throw new Unencodable("E2BIG", "all stream numbers of this guest are used up")
    const stream = this.adopt(this.#next++, begin)
    numberFrame(frame, stream.number)
    return stream
  }

  /**
   * The frame of a probe. Undefined while a probe is unanswered. The agent refuses an opener without fields at once, and opens nothing.
   * Unlike a PING, an opener does not wait for a long call.
   */
  probe() {
    if (this.#probe !== undefined || this.#next >= FIRST_CALL) return undefined
    this.#probe = this.#next++
    return encodeFrame(this.#probe, HostMessage.Walk.kind, Buffer.alloc(0))
  }

  /** Whether a request waits for the agent. */
  get isAwaited() {
    for (const stream of this.#streams.values()) if (stream.isAwaited) return true
    return false
  }

  /** Fails the requests that wait for the agent. */
  silence(failure: ChannelFailed) {
    for (const stream of this.#streams.values()) if (stream.isAwaited) stream.fail(failure)
  }

  /** Adds a stream that the agent brought over from an older connection. */
  adopt(number: number, begin: StreamBegin) {
    const stream = new GuestStream(number, this.#link, begin)
    this.#streams.set(number, stream)
    return stream
  }

  /** Numbers below `next` belong to older connections. */
  startAt(next: number) {
    this.#next = next
  }

  receive(number: number, kind: number, payload: Buffer) {
    const stream = this.#streams.get(number)
    if (stream !== undefined) stream.receive(kind, payload)
    else if (number === this.#probe && kind === AgentMessage.Failed.kind) this.#probe = undefined
    else if (!this.#forgotten.has(number)) {
      throw new Violation(`frame 0x${kind.toString(16)} for stream ${number}, which is not open`)
    }
  }

  /** Releases the stream in the agent, which kills its process. The second call does nothing. */
  release(stream: GuestStream, callsMade: number) {
    if (!this.#streams.delete(stream.number)) return
    stream.abandon()
    stream.sendRelease()
    if (!stream.isEnded) this.#forgotten.set(stream.number, callsMade)
  }

  /** The agent has answered call `order`, so it has seen every earlier release. It sends no more frames for those streams. */
  answered(order: number) {
    for (const [number, callsMade] of this.#forgotten) {
      if (callsMade > order) return
      this.#forgotten.delete(number)
    }
  }

  fail(failure: ChannelFailed) {
    for (const stream of this.#streams.values()) stream.fail(failure)
    this.#streams.clear()
    this.#forgotten.clear()
  }
}
