import type { Socket } from "node:net"
import { AgentMessage, CONNECTION, decodePayload, FrameDecoder, HostMessage } from "../guest-channel/guest-wire.ts"
import { type Corpus, type Frame, isCall, isRequest, onStream } from "./corpus.ts"
import { Lies } from "./lies.ts"
import { bytesOf, DATA_BYTES, frameOf, hostileText, type Liar, lyingAnswer, madeUpStates } from "./lying.ts"
import { encoded, mutate, mutatedData, mutations } from "./mutations.ts"
import type { Random } from "./random.ts"

/** What all agents did together. */
export class Account {
  connections = 0
  /** Frames that were given to a socket. */
  frames = 0
  /** Of those, the ones that the recorded agent had not sent like this. */
  mutated = 0
  /** Streams that agents made up for a new daemon, and that it did not let go of at once. */
  kept = 0
  readonly mutations: Record<string, number> = Object.fromEntries(Object.keys(mutations).map((name) => [name, 0]))
}

/** What agents share. */
export interface Surroundings {
  readonly corpus: Corpus
  readonly account: Account
  /** Waits until so many more frames may be sent. */
  readonly pace: (frames: number) => Promise<void>
  /** A directory of the host that a guest has no business in. */
  readonly outside: string
}

interface Sending {
  readonly window: number
  readonly sent: [number, number, number]
  readonly acked: [number, number, number]
  /** Data that the host has sent into the stream. */
  taken: number
  readonly request: Frame
  afterInput: ReadonlyArray<Frame>
}

const { AckIn, DataOut, EndOut, Event, Exited, Hello, Result, Started } = AgentMessage

/** How long a request may stay without its end before the agent gives itself away: silence is no end. */
const SILENCE_MS = 1_500
/** No frame, and longer than what may be left of one. */
const garbage = Buffer.alloc(70_000, "!")

/**
 * Speaks as the agent of one guest. While it has a budget it obeys the protocol and fills it with content that it made up, so that its
 * connection lasts; then it answers as was recorded, with one mutation in most answers.
 */
export class HostileAgent {
  /** Well-formed frames still to be sent. */
  budget = 0
  over = false
  readonly #socket: Socket
  readonly #random: Random
  readonly #around: Surroundings
  readonly #liar: Liar
  readonly #streams = new Map<number, Sending>()
  /** Since when requests wait, by stream or call. */
  readonly #open = new Map<number, number>()
  /** Streams that nobody ever opened, until the host releases them. */
  readonly #madeUp = new Set<number>()
  #floods = 0
  #wake: Array<() => void> = []
  #timer: NodeJS.Timeout | undefined

  constructor(socket: Socket, random: Random, around: Surroundings) {
    this.#socket = socket
    this.#random = random
    this.#around = around
    this.#liar = { random, corpus: around.corpus, lies: new Lies(random, around.outside) }
    around.account.connections++
    const decoder = new FrameDecoder((stream, kind, payload) =>
      this.#receive({ stream, kind, payload: Buffer.from(payload) })
    )
    socket.on("data", (chunk: Buffer) => decoder.push(chunk))
    socket.on("error", () => this.#end())
    socket.on("close", () => this.#end())
    this.#timer = setInterval(() => this.#breakSilence(), 250)
  }

  #end() {
    this.over = true
    clearInterval(this.#timer)
    for (const go of this.#wake.splice(0)) go()
  }

  #breakSilence() {
    // Nothing is left unsaid there; a host that is busy only takes its time.
    if (this.budget > 0 || this.#floods > 0) return
    const now = Date.now()
    for (const since of this.#open.values()) {
      if (now - since > SILENCE_MS) return this.#write([garbage], 1)
    }
  }

  #write(pieces: ReadonlyArray<Buffer>, mutated: number, frames = pieces.length) {
    if (this.over) return
    this.#around.account.frames += frames
    this.#around.account.mutated += mutated
    const bytes = Buffer.concat(pieces)
    // Cut anywhere: where frames end is nothing that the other side may rely on.
    const cut = this.#random.chance(0.3) ? this.#random.below(bytes.length + 1) : bytes.length
    if (cut > 0) this.#socket.write(bytes.subarray(0, cut))
    if (cut < bytes.length) this.#socket.write(bytes.subarray(cut))
  }

  #receive(frame: Frame) {
    const { kind, payload, stream } = frame
    if (stream === CONNECTION) return kind === HostMessage.Hello.kind ? this.#greet(payload) : undefined
    const known = this.#streams.get(stream)
    switch (kind) {
      case HostMessage.Ack.kind: {
        const { offset, output } = decodePayload(HostMessage.Ack.fields, payload)
        if (known !== undefined) known.acked[output as 1 | 2] = offset
        for (const go of this.#wake.splice(0)) go()
        return
      }
      case HostMessage.DataIn.kind:
        if (known === undefined) return
        known.taken += payload.length - 8
        return this.#write([bytesOf(AckIn, stream, { offset: known.taken })], 0)
      case HostMessage.EndIn.kind:
        if (known !== undefined) void this.#say(stream, known.afterInput)
        return
      case HostMessage.Signal.kind:
        if (known !== undefined) {
          void this.#finish(stream, known, bytesOf(Exited, stream, { how: 1, code: 9, durationNs: 1n }))
        }
        return
      case HostMessage.Release.kind:
        this.#open.delete(stream)
        this.#streams.delete(stream)
        this.#madeUp.delete(stream)
        for (const go of this.#wake.splice(0)) go()
        return
      default:
        // Nor does it answer probes.
        if (!isRequest(frame) || payload.length === 0) return
        this.#around.account.kept += this.#madeUp.size
        this.#madeUp.clear()
        void this.#answer(frame)
    }
  }

  #greet(payload: Buffer) {
    const random = this.#random
    const { nonce } = decodePayload(HostMessage.Hello.fields, payload)
    const recorded = decodePayload(Hello.fields, random.pick(this.#around.corpus.hellos).payload)
    const states = random.chance(0.2) ? madeUpStates(random) : []
    for (const { stream } of states) this.#madeUp.add(stream)
    const fields = { ...recorded, nonce, nextStream: random.between(50, 1_000), streams: states.length }
    const hello = frameOf(Hello, CONNECTION, fields)
    // What an older connection has left, cut anywhere.
    const rest = random.chance(0.3) ? random.bytes(random.below(5_000)) : Buffer.alloc(0)
    this.#socket.write(rest)
    if (random.chance(0.06)) {
      const { name, pieces } = mutate([hello, ...states], random, this.#around.corpus)
      this.#around.account.mutations[name]!++
      // Which streams the daemon was told of is not known then.
      this.#madeUp.clear()
      this.#write(pieces, 1, 1)
      // A daemon would wait ten seconds for what is missing.
      return void setTimeout(() => this.#socket.end(), 500)
    }
    this.#write([hello, ...states].map(encoded), states.length)
  }

  async #answer(request: Frame) {
    const random = this.#random
    const { corpus } = this.#around
    const { stream } = request
    const script = corpus.answerTo(request, random)
    const live = (frames: typeof script.atOnce) => frames.map((frame) => onStream(frame, stream))
    if (!isCall(stream)) {
      this.#open.set(stream, Date.now())
      this.#streams.set(stream, {
        window: 1_048_576,
        sent: [0, 0, 0],
        acked: [0, 0, 0],
        taken: 0,
        request,
        afterInput: live(script.afterInput)
      })
    } else this.#open.set(stream, Date.now())
    if (this.budget > 0 && request.kind === HostMessage.Spawn.kind) {
      this.#floods++
      await this.#flood(stream)
      this.#floods--
      if (this.#open.has(stream)) this.#open.set(stream, Date.now())
      return
    }
    await this.#say(stream, live(script.atOnce))
  }

  /** Says what was recorded: now and then as it was, else with one mutation, or with content that is a lie. */
  async #say(stream: number, frames: ReadonlyArray<Frame>) {
    const { account, corpus, pace } = this.#around
    const random = this.#random
    await pace(frames.length)
    if (this.#open.has(stream)) this.#open.set(stream, Date.now())
    if (frames.length === 0) return
    const way = random.next()
    if (this.budget > 0 || way < 0.55) {
      const lied = this.budget > 0 || way < 0.2
        ? undefined
        : lyingAnswer(this.#liar, { stream, request: this.#streams.get(stream)?.request, frames })
      this.#answered(stream, lied ?? frames)
      return this.#write((lied ?? frames).map(encoded), lied?.length ?? 0)
    }
    const { name, pieces } = mutate(frames, random, corpus)
    account.mutations[name]!++
    // Whatever of it is still read: it counts as one.
    this.#write(pieces, 1, 1)
  }

  /** Of a call that nobody waits for any more the host does not say so, as it does of streams. */
  #answered(stream: number, frames: ReadonlyArray<Frame>) {
    if (frames.some(({ kind }) => kind === Result.kind)) this.#open.delete(stream)
  }

  /** A command that prints a great deal of what it should not, in many small pieces, and events in between. */
  async #flood(stream: number) {
    const random = this.#random
    const { corpus, pace } = this.#around
    const sending = this.#streams.get(stream)!
    sending.afterInput = []
    this.#write([bytesOf(Started, stream, { pid: random.below(2 ** 32) })], 1)
    let left = Math.min(this.budget, random.between(200, 1_500))
    this.budget -= left
    while (left > 0 && !this.over && this.#streams.get(stream) === sending) {
      const batch: Array<Buffer> = []
      for (; left > 0 && batch.length < 32; left--) {
        const frame = random.chance(0.4)
          ? bytesOf(Event, CONNECTION, { level: 1 + random.below(3), text: hostileText(random) })
          : this.#data(stream, sending, random, corpus)
        if (frame === undefined) break
        batch.push(frame)
      }
      this.#open.set(stream, Date.now())
      await pace(batch.length)
      this.#write(batch, batch.length)
      if (batch.length === 0 || this.#socket.writableLength > 1_000_000) await this.#moved()
    }
    const how = random.pick([0, 0, 0, 1, 2])
    const code = how === 0 ? random.below(256) : random.between(1, 64)
    await this.#finish(
      stream,
      sending,
      bytesOf(Exited, stream, { how, code, durationNs: BigInt(random.below(2 ** 32)) ** 2n })
    )
  }

  /** A piece of output that the credit allows. */
  #data(stream: number, sending: Sending, random: Random, corpus: Corpus) {
    const output = random.pick([1, 2] as const)
    const room = sending.acked[output] + sending.window - sending.sent[output]
    const most = random.chance(0.02) ? 4_096 : random.chance(0.002) ? DATA_BYTES : random.chance(0.02) ? 0 : 40
    if (most > room) return undefined
    const data = mutatedData(random, corpus, most)
    const offset = sending.sent[output]
    sending.sent[output] += data.length
    return bytesOf(DataOut, stream, { output, offset, data })
  }

  async #finish(stream: number, sending: Sending, exited: Buffer) {
    if (this.over || this.#streams.get(stream) !== sending) return
    this.#streams.delete(stream)
    const ends = [1, 2].map((output) => bytesOf(EndOut, stream, { output, offset: sending.sent[output as 1 | 2] }))
    this.#write([...ends, exited], 1)
  }

  /** Until the host has acknowledged something, or a moment has passed. */
  #moved() {
    return new Promise<void>((resolve) => {
      this.#wake.push(resolve)
      setTimeout(resolve, 20)
    })
  }
}
