import { type Cause, Deferred, Effect, Queue } from "effect"
import { type Duplex, PassThrough } from "node:stream"
import { ChannelFailed } from "../../../contract/errors/errors.ts"
import { escapeGuestText } from "../../../contract/text/printable.ts"
import { countReceived } from "../../../system/processes/received-bytes.ts"
import { settleAfterwards, Waiters } from "../../../system/waits/signal.ts"
import { type AgentEvent, type Call, Calls } from "../model/calls.ts"
import { violationText } from "../model/errors.ts"
import { EventLevel } from "../model/event-level.ts"
import { NetworkTable } from "../streams/network-table.ts"
import { StreamTable } from "../streams/stream-table.ts"
import type { GuestStream, StreamBegin, StreamLink } from "../streams/stream.ts"
import { decodePayload, encodeControl } from "../wire/control.ts"
import { FrameDecoder, TAKEOVER_FILLER_BYTES } from "../wire/frame.ts"
import { type AgentHello, HelloSearch, readHello, type ResumableStream, StateReader } from "../wire/hello.ts"
import { AgentMessage, CONNECTION, FIRST_CALL, HelloFlag, HostMessage, PROTOCOL_VERSION } from "../wire/messages.ts"
import { Outbox } from "../wire/outbox.ts"
import { Violation } from "../wire/violation.ts"
import { CallTable } from "./call-table.ts"

/** A stream that an older connection left, and this side of it. */
export interface Adoptable {
  readonly resumable: ResumableStream
  readonly stream: GuestStream
}

export interface Greeting {
  readonly build: string
  /** Processes to adopt, by id. An adoption removes its process. */
  readonly adoptable: Map<string, Adoptable>
}

const eventLevels = Object.keys(EventLevel) as ReadonlyArray<EventLevel>

const levelOf = (number: number): EventLevel => {
  const level = eventLevels.find((name) => EventLevel[name] === number)
  if (level === undefined) throw new Violation(`an event of level ${number}`)
  return level
}

/** After this many releases of running streams, a ping finds out which releases the guest has seen. */
const FORGOTTEN_STREAMS = 128

/** In place of a socket while a connection moves. */
const nowhere = new PassThrough()

/**
 * One connection to the agent. The socket's callback gives each frame to its call or stream, without a fiber per frame. The socket is never
 * paused: the credit of a stream bounds its unread bytes. A violation by the guest fails everything pending with one `ChannelFailed`.
 */
export class Connection implements StreamLink {
  readonly greeted = Deferred.makeUnsafe<Greeting, ChannelFailed>()
  readonly failed = Deferred.makeUnsafe<never, ChannelFailed>()
  readonly outbox: Outbox
  /** Open requests of the guest for the network. */
  readonly network = new NetworkTable()
  /** Bytes that have come from the guest. */
  receivedBytes = 0
  /** The guest is paused on purpose: it can send nothing. */
  isQuiet = false
  /** Time without a byte from the agent, in `ms`, after which requests failed; 0 after the next byte. */
  silentMs = 0
  /** Maximum silence for a caller that ends the guest in any case, in `ms`. */
  endingMs = Infinity
  #socket: Duplex
  readonly #nonce: Uint8Array
  readonly #keep: (id: string) => boolean
  readonly #events: Queue.Queue<AgentEvent, Cause.Done>
  readonly #search: HelloSearch
  readonly #decoder = new FrameDecoder((number, kind, payload) => this.#dispatch(number, kind, payload))
  readonly #calls = new CallTable()
  readonly #streams = new StreamTable(this)
  readonly #awake = new Set<GuestStream>()
  readonly #adoptable = new Map<string, Adoptable>()
  #phase: "searching" | "hello" | "states" | "open" = "searching"
  #hello: AgentHello | undefined
  #states: StateReader | undefined
  #statesLeft = 0
  #failure: ChannelFailed | undefined
  readonly #watch = new Waiters()

  constructor(
    socket: Duplex,
    options: {
      readonly nonce: Uint8Array
      readonly keep: (id: string) => boolean
      readonly events: Queue.Queue<AgentEvent, Cause.Done>
      readonly monotonicMs: () => number
    }
  ) {
    this.#socket = socket
    this.#nonce = options.nonce
    this.#keep = options.keep
    this.#events = options.events
    this.#search = new HelloSearch(options.nonce)
    this.outbox = new Outbox(socket, (detail) => this.fail(detail), options.monotonicMs)
    this.#listen(socket)
  }

  /** An end of a socket that this connection has left is no failure. */
  #listen(socket: Duplex) {
    const ended = (detail: string) => {
      if (socket === this.#socket) this.fail(detail)
    }
    socket.on("data", (chunk: Buffer) => this.#read(chunk))
    socket.on("end", () => ended("the guest's side closed it"))
    socket.on("close", () => ended("its socket closed"))
    socket.on("error", (error) => ended(error.message))
    if (socket.destroyed || socket.readableEnded) ended("its socket closed")
  }

  /**
   * Continues on another socket to the same agent, once the agent has answered there. Gives whether it has; if a socket ends before its answer, the
   * caller may try another one. No byte may be on its way in the socket before, which `leave` has ended, and nothing else is sent meanwhile.
   */
  moveTo(socket: Duplex): Effect.Effect<boolean> {
    return Effect.callback<boolean>((resume) => {
      const settle = (isMoved: boolean) => {
        socket.off("data", arrived).off("close", lost)
        if (!isMoved) socket.destroy()
        resume(Effect.succeed(isMoved))
      }
      const lost = () => settle(false)
      const arrived = (chunk: Buffer) => {
        if (this.#failure !== undefined) return settle(false)
        this.#socket = socket
        this.outbox.moveTo(socket)
        this.#listen(socket)
        settle(true)
        this.#read(chunk)
      }
      socket.on("error", () => {}) // "close" follows
      if (this.#failure !== undefined || socket.destroyed) return settle(false)
      socket.on("data", arrived).once("close", lost)
      const ping = Calls.ping({ payload: Buffer.alloc(0) })
      const frame = this.#calls.overtake(ping, ping.encode())
      this.outbox.transfers.sent(frame.length)
      socket.write(frame)
      return Effect.sync(() => void socket.off("data", arrived).off("close", lost).destroy())
    })
  }

  /** Ends the present socket, before `moveTo`. */
  leave() {
    const socket = this.#socket
    this.#socket = nowhere
    this.outbox.leave()
    socket.destroy()
  }

  get failure() {
    return this.#failure
  }

  /** Greets the agent. A takeover first ends a partial frame of an older connection. */
  greet(options: { readonly takeover: boolean; readonly forget: boolean }) {
    if (options.takeover) this.send(Buffer.alloc(TAKEOVER_FILLER_BYTES))
    const { fields, kind } = HostMessage.Hello
    const flags = HelloFlag.reportTaken | (options.forget ? HelloFlag.forget : 0)
    this.send(encodeControl(CONNECTION, kind, fields, { nonce: this.#nonce, version: PROTOCOL_VERSION, flags }))
    this.outbox.transfers.restart()
  }

  send(frame: Uint8Array) {
    if (this.#failure === undefined) this.outbox.send(frame)
  }

  sendLater(frame: Buffer) {
    if (this.#failure === undefined) this.outbox.sendLater(frame)
  }

  wake(stream: GuestStream) {
    this.#awake.add(stream)
  }

  /** A call's frame, for the caller to send, and its result to come. Not for a failed connection. */
  make<A>(call: Call<A>, payload: Buffer) {
    this.#watch.wake()
    return this.#calls.make(call, payload)
  }

  /** A call whose payload comes later, but before the payloads of later calls. */
  announce<A>(call: Call<A>) {
    this.#watch.wake()
    return this.#calls.announce(call)
  }

  /** Opens a stream and numbers its opening `frame`, which the caller sends. Throws `Unencodable`. Not for a failed connection. */
  open(begin: StreamBegin, frame: Buffer) {
    this.#watch.wake()
    return this.#streams.open(begin, frame)
  }

  /** Whether a request waits for the agent. A started command does not count. */
  get isAwaited() {
    return this.#failure === undefined && (this.#calls.isAwaited || this.#streams.isAwaited)
  }

  /** Waits until a request waits for the agent. */
  readonly untilAwaited: Effect.Effect<void> = this.#watch.wait(() => this.isAwaited)

  /** Sends a probe, which a living agent answers at once, also during a call. One at a time. */
  probe() {
    const frame = this.#streams.probe()
    if (frame !== undefined) this.send(frame)
  }

  /** Fails every request that waits for the agent, which has sent nothing for another `ms`. The connection stays. */
  silence(ms: number, why: string) {
    this.silentMs += ms
    const failure = new ChannelFailed({
      reason: "silent",
      detail: `its agent has sent nothing for ${this.silentMs / 1000} s${why === "" ? "" : ` (${why})`}`
    })
    this.#calls.silence(failure)
    this.#streams.silence(failure)
  }

  /** Ends a stream on both sides and kills its process. */
  release(stream: GuestStream) {
    this.#streams.release(stream, this.#calls.made)
    if (this.#streams.forgotten > 0 && this.#streams.forgotten % FORGOTTEN_STREAMS === 0) {
      const ping = Calls.ping({ payload: Buffer.alloc(0) })
      this.send(this.make(ping, ping.encode()).frame)
    }
  }

  /** Sends pending frames, such as releases, and ends the connection. */
  close() {
    this.outbox.flush()
    this.fail("it was closed on this side")
  }

  fail(detail: string) {
    if (this.#failure !== undefined) return
    const failure = new ChannelFailed({ detail })
    this.#failure = failure
    if (this.#socket !== nowhere) this.#socket.destroy()
    this.outbox.close()
    settleAfterwards(this.greeted, Effect.fail(failure))
    settleAfterwards(this.failed, Effect.fail(failure))
    this.#calls.fail(failure)
    this.#streams.fail(failure)
    this.#awake.clear()
    this.network.end()
    Queue.endUnsafe(this.#events)
  }

  #read(chunk: Buffer) {
    this.receivedBytes += chunk.length
    this.silentMs = 0
    if (this.#failure !== undefined) return
    try {
      const bytes = this.#phase === "searching" ? this.#search.push(chunk) : chunk
      if (bytes === undefined) return
      if (this.#phase === "searching") this.#phase = "hello"
      this.#decoder.push(bytes)
      for (const stream of this.#awake) stream.deliver()
      this.#awake.clear()
      countReceived(chunk.length)
    } catch (error) {
      this.fail(error instanceof Violation ? violationText(error.message) : String(error))
    }
  }

  #dispatch(number: number, kind: number, payload: Buffer) {
    if (this.#phase !== "open") return this.#introduce(number, kind, payload)
    if (number >= FIRST_CALL) {
      if (kind !== AgentMessage.Result.kind) throw new Violation(`frame 0x${kind.toString(16)} for a call`)
      return this.#streams.answered(this.#calls.receive(number, payload))
    }
    if (number !== CONNECTION) return this.#streams.receive(number, kind, payload)
    if (kind === AgentMessage.Request.kind) return this.network.receive(payload)
    if (kind === AgentMessage.Withdraw.kind) return this.network.withdraw(payload)
    if (kind === AgentMessage.Taken.kind) {
      return this.outbox.transfers.taken(decodePayload(AgentMessage.Taken.fields, payload).bytes)
    }
    if (kind !== AgentMessage.Event.kind) throw new Violation(`frame 0x${kind.toString(16)} for the connection`)
    const { level, text } = decodePayload(AgentMessage.Event.fields, payload)
    Queue.offerUnsafe(this.#events, { level: levelOf(level), text: escapeGuestText(text as Uint8Array, 1_000) })
  }

  /** The agent's hello and the streams it brings over, which come before anything else. */
  #introduce(number: number, kind: number, payload: Buffer) {
    if (this.#phase === "hello") {
      this.#hello = readHello(payload, this.#nonce)
      if (this.#hello.version !== PROTOCOL_VERSION) {
        throw new Error(
          `the guest speaks version ${this.#hello.version} of the protocol, this pyro ${PROTOCOL_VERSION}`
        )
      }
      this.#phase = "states"
      this.#states = new StateReader(this.#hello)
      this.#statesLeft = this.#hello.streams
      this.#streams.startAt(this.#hello.nextStream)
    } else {
      if (kind !== AgentMessage.State.kind) {
        throw new Violation(`frame 0x${kind.toString(16)} among the states of streams`)
      }
      const { begin, stream: resumable } = this.#states!.read(number, payload)
      this.#adoptable.set(resumable.id, { resumable, stream: this.#streams.adopt(number, begin) })
      this.#statesLeft--
    }
    if (this.#statesLeft === 0) this.#finishGreeting()
  }

  #finishGreeting() {
    this.#phase = "open"
    for (const [id, { resumable, stream }] of this.#adoptable) {
      // A read or a write without its host cannot be continued.
      if (resumable.opener === "spawn" && this.#keep(id)) continue
      this.#adoptable.delete(id)
      this.release(stream)
    }
    const build = escapeGuestText(this.#hello!.build)
    settleAfterwards(this.greeted, Effect.succeed({ build, adoptable: this.#adoptable }))
  }
}
