import { Array as Arr, Effect } from "effect"
import type { ChannelFailed } from "../../../contract/errors/errors.ts"
import { Settled, waitFor } from "../../../system/waits/signal.ts"
import type { ProcessExit, ProcessOutput } from "../model/process.ts"
import { decodePayload, encodeControl, type Field } from "../wire/control.ts"
import { readEnding, type Refused } from "../wire/ending.ts"
import {
  AgentMessage,
  HostMessage,
  INPUT_CREDIT_BYTES,
  MAX_REPORTED_CREDIT_BYTES,
  type Message
} from "../wire/messages.ts"
import { Violation } from "../wire/violation.ts"
import { Input } from "./input.ts"
import { Output, OutputQueue } from "./output.ts"

/** The part of the connection that a stream uses. */
export interface StreamLink {
  /** Sends a frame, or the pieces of one without anything between them. */
  readonly send: (frame: Uint8Array) => void
  /** Sends a low-priority frame. */
  readonly sendLater: (frame: Buffer) => void
  /** Calls `deliver` of the stream after the current socket chunk. */
  readonly wake: (stream: GuestStream) => void
}

/** State of a stream at its first use on this side: just opened, or taken over from an older connection. */
export interface StreamBegin {
  readonly window: number
  readonly outputs: ReadonlyArray<1 | 2>
  readonly input: boolean
  /** Input bytes that may be sent ahead of the last acknowledgement. @default 65 536 */
  readonly credit?: number
  /** STARTED has the credit instead of a pid. Older agents send 0. @default false */
  readonly reportsCredit?: boolean
  /** The stream is one request to the agent, until its end: a file, a walk. Else the request is over when it has started. */
  readonly isRequest?: boolean
  readonly acked?: readonly [number, number]
  /** Present when the stream was taken over, and so has been started already. */
  readonly started?: { readonly pid: number; readonly inOffset: number }
}

type OutputName = ProcessOutput["from"]
type Pulled = Effect.Effect<Arr.NonEmptyArray<ProcessOutput> | undefined, ChannelFailed>

/** Outputs by their numbers on the wire. Data of a file or a connection has the number of stdout. */
const OUTPUTS: ReadonlyArray<OutputName | undefined> = [undefined, "stdout", "stderr"]
const NUMBERS = { stdout: 1, stderr: 2 } as const

/**
 * The host's side of one stream. It checks every frame against the state of the stream, and throws `Violation` for a frame that is not
 * allowed. Nothing here waits: frames resume the effects.
 */
export class GuestStream {
  readonly number: number
  readonly input: Input
  readonly started = new Settled<number, Refused | ChannelFailed>()
  readonly ended = new Settled<ProcessExit, Refused | ChannelFailed>()
  readonly #link: StreamLink
  readonly #window: number
  readonly #isRequest: boolean
  readonly #reportsCredit: boolean
  readonly #outputs: Partial<Record<OutputName, Output>>
  readonly #queue = new OutputQueue()
  #isStarted = false
  #isEnded = false
  #failure: ChannelFailed | undefined
  #reader: ((pulled: Pulled) => void) | undefined
  /** Takes pieces before the waiting reader does, or refuses one. */
  #taker: ((piece: ProcessOutput) => boolean) | undefined
  constructor(number: number, link: StreamLink, begin: StreamBegin) {
    const [acked1, acked2] = begin.acked ?? [0, 0]
    this.number = number
    this.#link = link
    this.#window = begin.window
    this.#isRequest = begin.isRequest ?? false
    this.#reportsCredit = begin.reportsCredit ?? false
    this.#outputs = {
      ...(begin.outputs.includes(1) ? { stdout: new Output(begin.window, acked1, false) } : {}),
      ...(begin.outputs.includes(2) ? { stderr: new Output(begin.window, acked2, begin.started !== undefined) } : {})
    }
    const sent = begin.started?.inOffset ?? 0
    this.inputOffset = sent
    // A stream taken over learns its credit from the ACK_IN that follows the STATE frames.
    const credit = begin.credit ?? INPUT_CREDIT_BYTES
    const limit = begin.started === undefined ? credit : sent
    this.input = new Input(number, (frame) => link.send(frame), { sent, limit, credit })
    if (!begin.input) this.input.close(Effect.void)
    if (begin.started !== undefined) this.#start(begin.started.pid)
  }

  /** Number of input bytes that the guest had when this side first knew the stream. */
  readonly inputOffset: number

  get isEnded() {
    return this.#isEnded
  }

  /** Whether every output has ended by itself. A reset ends the stream before. */
  get hasEndedOutput() {
    return Object.values(this.#outputs).every(({ ended }) => ended)
  }

  /** Whether a request waits for the agent here. */
  get isAwaited() {
    return !this.#isEnded && this.#failure === undefined && (this.#isRequest || !this.#isStarted)
  }

  send<A>({ fields, kind }: Message<A>, value: A) {
    this.#link.send(encodeControl(this.number, kind, fields as Field<A>, value))
  }

  /** Releases the stream in the agent, which kills a running process. */
  sendRelease() {
    const { fields, kind } = HostMessage.Release
    const frame = encodeControl(this.number, kind, fields, {})
    if (this.#isEnded) this.#link.sendLater(frame)
    else this.#link.send(frame)
  }

  receive(kind: number, payload: Buffer) {
    if (this.#isEnded) throw new Violation(`frame 0x${kind.toString(16)} for stream ${this.number} after its end`)
    switch (kind) {
      case AgentMessage.DataOut.kind: {
        const { data, offset, output: number } = decodePayload(AgentMessage.DataOut.fields, payload)
        const { from, output } = this.#output(number)
        output.receive(offset, data.length)
        if (data.length === 0) return
        this.#queue.push(from, offset, data as Buffer, this.#reader === undefined)
        return this.#link.wake(this)
      }
      case AgentMessage.EndOut.kind: {
        const { offset, output } = decodePayload(AgentMessage.EndOut.fields, payload)
        this.#output(output).output.end(offset)
        return this.#link.wake(this)
      }
      case AgentMessage.AckIn.kind:
        if (!this.#isStarted) throw new Violation(`input of stream ${this.number} taken before it started`)
        return this.input.acknowledged(decodePayload(AgentMessage.AckIn.fields, payload).offset)
      case AgentMessage.Started.kind:
        if (this.#isStarted) throw new Violation(`stream ${this.number} started twice`)
        return this.#start(decodePayload(AgentMessage.Started.fields, payload).pid)
      case AgentMessage.Failed.kind:
      case AgentMessage.Exited.kind:
        return this.#end(kind, payload)
      default:
        throw new Violation(`frame of unknown kind 0x${kind.toString(16)} for stream ${this.number}`)
    }
  }

  #output(number: number) {
    const from = OUTPUTS[number]
    const output = from && this.#outputs[from]
    if (output === undefined) throw new Violation(`output ${number} of stream ${this.number}, which has none such`)
    if (!this.#isStarted) throw new Violation(`output of stream ${this.number} before it started`)
    return { from: from!, output }
  }

  #start(pid: number) {
    this.#isStarted = true
    if (this.#reportsCredit) this.input.grant(Math.min(pid, MAX_REPORTED_CREDIT_BYTES))
    this.started.send(Effect.succeed(pid))
  }

  #end(kind: number, payload: Buffer) {
    const ending = readEnding(kind, payload)
    if (ending._tag !== "refused") {
      if (!this.#isStarted) throw new Violation(`stream ${this.number} exited before it started`)
      if (Object.values(this.#outputs).some(({ isOver }) => !isOver)) {
        throw new Violation(`stream ${this.number} exited before the end of its output`)
      }
    }
    this.#isEnded = true
    this.input.close(Effect.void)
    const outcome = ending._tag === "refused" ? Effect.fail(ending) : Effect.succeed(ending)
    if (ending._tag === "refused") this.started.send(Effect.fail(ending))
    this.ended.send(outcome)
    this.#link.wake(this)
  }

  /** The channel is lost, or the agent silent: received output stays readable, and everything else fails. */
  fail(failure: ChannelFailed) {
    if (this.#failure !== undefined) return
    this.#failure = failure
    this.input.close(Effect.fail(failure))
    this.started.send(Effect.fail(failure))
    this.ended.send(Effect.fail(failure))
    this.deliver()
  }

  /** Closes the input, which ends waiting writes, and drops unread output. `started`, `ended` and a waiting reader stay unsettled. */
  abandon() {
    this.input.close(Effect.void)
    this.#queue.clear()
  }

  /** Acknowledges no byte of an output from this offset on, so that the guest keeps these bytes. A later call replaces the offset. */
  keepFrom(from: OutputName, offset: number) {
    const output = this.#outputs[from]
    if (output !== undefined) output.keptFrom = offset
  }

  /** Skips output before these positions. The caller knows it already, as after a crash that lost acknowledgements. */
  passOver(known: Readonly<Record<OutputName, number>>) {
    for (const from of outputNames(this.#outputs)) this.#outputs[from]!.known = known[from]
  }

  /**
   * The next pieces, or `undefined` at the end of all output. Each call acknowledges the earlier pieces, at most once per quarter of the
   * window. One reader at a time.
   */
  readonly pull: Pulled = this.pullUntaken(undefined)

  /**
   * The same, without the pieces that `take` accepts. `take` runs in the turn of a piece's arrival, and no fiber resumes for an accepted
   * piece. The first piece that `take` refuses is the first of the next pieces.
   */
  pullUntaken(take: ((piece: ProcessOutput) => boolean) | undefined): Pulled {
    return waitFor((resume) => {
      if (this.#reader !== undefined) {
        return resume(Effect.die(new Error("the output of a stream has one reader at a time")))
      }
      this.#acknowledge()
      this.#reader = resume
      this.#taker = take
      this.deliver()
      return Effect.sync(() => {
        this.#reader = undefined
      })
    })
  }

  /** Delivers the queued output to the waiting reader. */
  deliver(): void {
    if (this.#reader === undefined) return
    // A quarter of the window at a time, so that acknowledgements flow while the reader works.
    const pieces = this.#queue.take(Math.ceil(this.#window / 4))
    for (const { bytes, from, offset } of pieces) this.#outputs[from]!.handed = offset + bytes.length
    const fresh = this.#untaken(this.#withoutKnown(pieces))
    if (Arr.isArrayNonEmpty(fresh)) return this.#resume(Effect.succeed(fresh))
    if (pieces.length > 0) {
      this.#acknowledge()
      return this.deliver()
    }
    if (this.#failure !== undefined) return this.#resume(Effect.fail(this.#failure))
    if (this.#isEnded || this.hasEndedOutput) {
      this.#resume(Effect.succeed(undefined))
    }
  }

  #untaken(pieces: Array<ProcessOutput>) {
    const take = this.#taker
    if (take === undefined) return pieces
    let taken = 0
    while (taken < pieces.length && take(pieces[taken]!)) taken++
    return taken === 0 ? pieces : pieces.slice(taken)
  }

  #resume(pulled: Pulled) {
    const reader = this.#reader
    this.#reader = undefined
    reader?.(pulled)
  }

  #withoutKnown(pieces: Array<ProcessOutput>) {
    if (pieces.every(({ from, offset }) => this.#outputs[from]!.known <= offset)) return pieces
    return pieces.flatMap((piece) => {
      const known = this.#outputs[piece.from]!.known - piece.offset
      if (known <= 0) return [piece]
      return known >= piece.bytes.length
        ? []
        : [{ ...piece, offset: piece.offset + known, bytes: piece.bytes.subarray(known) }]
    })
  }

  #acknowledge() {
    if (this.#isEnded || this.#failure !== undefined) return
    for (const from of outputNames(this.#outputs)) {
      const offset = this.#outputs[from]!.takeAck()
      if (offset !== undefined) this.send(HostMessage.Ack, { output: NUMBERS[from], offset })
    }
  }
}

const outputNames = (outputs: Partial<Record<OutputName, Output>>) => Object.keys(outputs) as Array<OutputName>
