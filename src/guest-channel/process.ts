import { Effect, type Scope, type Stream } from "effect"
import { constants } from "node:os"
import { ChannelFailed, CommandNotExecutable, CommandNotFound, CommandNotStarted } from "../contract/errors.ts"
import { newRequestId } from "../system/identity.ts"
import type { Call } from "./calls.ts"
import type { Connection } from "./connection.ts"
import type { GuestString } from "./control.ts"
import type { Ending, Refused } from "./ending.ts"
import { EACCES, EEXIST, EISDIR, ENOENT, ENOEXEC, errnoName } from "./errno.ts"
import type { AgentCallFailed } from "./errors.ts"
import { escapeGuestText } from "./guest-text.ts"
import { HostMessage, type Message, SignalTarget, SpawnFlag, STDOUT } from "./messages.ts"
import { launchStream, type Opener, openStream, windowOf } from "./open.ts"
import type { Piece } from "./output-queue.ts"
import { forEachPiece, piecesOf } from "./pieces.ts"
import type { GuestStream } from "./stream.ts"
import type { Unencodable } from "./violation.ts"

/** Size of a terminal in character cells. */
export interface TerminalSize {
  readonly rows: number
  readonly cols: number
}

export interface SpawnRequest {
  /** Program and arguments; a program without `/` is looked up in the PATH of `env`. */
  readonly argv: readonly [GuestString, ...ReadonlyArray<GuestString>]
  /** The whole environment, as `K=V`. @default none */
  readonly env?: ReadonlyArray<GuestString> | undefined
  /** @default `/` */
  readonly cwd?: GuestString | undefined
  /** Name, uid, or uid:gid. @default root */
  readonly user?: string | undefined
  /** Whether it gets an input; else it reads /dev/null. @default false */
  readonly stdin?: boolean | undefined
  /** Runs it on a terminal of this size, on which stdout and stderr are one. */
  readonly pty?: TerminalSize | undefined
  /** Memory of everything it starts, in `bytes`; 0 = no limit. @default 0 */
  readonly memoryMaxBytes?: number | undefined
  /** Processes and threads; 0 = no limit. @default 0 */
  readonly pidsMax?: number | undefined
  /** Output the guest may send ahead of its reader, per output, 4 KiB to 16 MiB in `bytes`. @default 1 MiB */
  readonly windowBytes?: number | undefined
  /** 32 hexadecimal digits; the agent runs an id once. @default minted */
  readonly id?: string | undefined
}

export interface ProcessOutput {
  readonly from: "stdout" | "stderr"
  /** Position of the first byte since the process started, per output. */
  readonly offset: number
  readonly bytes: Uint8Array
}

export type ProcessExit = Ending

/** A process in the guest. Closing the scope it was acquired in kills it with all it started, and releases it. */
export interface GuestProcess {
  readonly id: string
  readonly pid: number
  /**
   * What it prints, in the order it came. Has to be read: with a window of unread output the process blocks, and
   * its exit is only told after the end of its output. The guest keeps every byte until the consumer asks for the
   * next ones, so that what a consumer wrote to a log before asking again cannot be lost. One consumer.
   */
  readonly output: Stream.Stream<ProcessOutput, ChannelFailed>
  /** The same, handed to `f` piece by piece until all outputs end: faster than the stream and with less memory. */
  readonly forEachOutput: <E, R>(
    f: (output: ProcessOutput) => Effect.Effect<unknown, E, R>
  ) => Effect.Effect<void, ChannelFailed | E, R>
  /** Input bytes that the guest has already; not 0 only after `adopt`. */
  readonly stdinOffset: number
  /** Waits while the process does not read. Ends well when it no longer can read. */
  readonly writeStdin: (bytes: Uint8Array) => Effect.Effect<void, ChannelFailed>
  /** Ends the input behind all writes before it; what is written later is dropped. */
  readonly endStdin: Effect.Effect<void, ChannelFailed>
  readonly resize: (size: TerminalSize) => Effect.Effect<void, ChannelFailed>
  /** Signals the process, or the group in the foreground of its terminal. */
  readonly signal: (
    signal: number | NodeJS.Signals,
    target?: "process" | "group"
  ) => Effect.Effect<void, ChannelFailed>
  /** Kills it and everything it started. */
  readonly kill: Effect.Effect<void, ChannelFailed>
  readonly exit: Effect.Effect<ProcessExit, ChannelFailed>
  /** What closing the scope does, now: ends it, if it still runs, and has the guest forget it. For one that was launched. */
  readonly release: Effect.Effect<void>
}

const textOf = (value: GuestString) => typeof value === "string" ? value : escapeGuestText(value)

const notStarted = (argv: SpawnRequest["argv"]) => ({ detail, errno, step }: Refused) => {
  const told = escapeGuestText(detail)
  // Neither "it never started" nor its outcome: that is gone with the release.
  if (errno === EEXIST) return new ChannelFailed({ detail: "a process of this id has run already, and was released" })
  if (step !== "exec") {
    return new CommandNotStarted({ step, detail: `${errnoName(errno)}${told === "" ? "" : `: ${told}`}` })
  }
  switch (errno) {
    case ENOENT:
      return new CommandNotFound({ command: textOf(argv[0]) })
    case EACCES:
    case ENOEXEC:
    case EISDIR:
      return new CommandNotExecutable({ command: textOf(argv[0]), detail: errnoName(errno) })
    default:
      return new CommandNotStarted({ step, detail: errnoName(errno) })
  }
}

const outputOf = ({ bytes, offset, output }: Piece): ProcessOutput => ({
  from: output === STDOUT ? "stdout" : "stderr",
  offset,
  bytes
})

const cells = (count: number) => Math.min(Math.max(Math.trunc(count), 0), 0xffff)

type ValueOf<M> = M extends Message<infer A> ? A : never
type SpawnFailed = ChannelFailed | CommandNotExecutable | CommandNotFound | CommandNotStarted

const openerOf = (request: SpawnRequest, id: string): Opener<ValueOf<typeof HostMessage.Spawn>> => {
  const window = windowOf(request.windowBytes)
  const pty = request.pty !== undefined
  return {
    message: HostMessage.Spawn,
    fields: {
      id: Buffer.from(id, "hex"),
      window,
      flags: (pty ? SpawnFlag.pty : 0) | (request.stdin === true ? SpawnFlag.stdin : 0),
      rows: cells(request.pty?.rows ?? 0),
      cols: cells(request.pty?.cols ?? 0),
      user: request.user ?? "",
      cwd: request.cwd ?? "",
      argv: request.argv,
      env: request.env ?? [],
      memoryMax: request.memoryMaxBytes ?? 0,
      pidsMax: request.pidsMax ?? 0
    },
    begin: { window, input: request.stdin === true, outputs: pty ? [1] as const : [1, 2] as const }
  }
}

const optionsOf = (request: SpawnRequest, after: ReadonlyArray<Call<unknown>>) => ({
  after,
  unencodable: ({ message }: Unencodable) =>
    new CommandNotStarted({ step: "length", detail: `with its environment ${message}` }),
  refused: notStarted(request.argv)
})

const startedAs =
  (connection: Connection, id: string) =>
  ({ pid, stream }: { readonly pid: number; readonly stream: GuestStream }): GuestProcess =>
    new StreamedProcess(connection, stream, { id, pid, stdinOffset: 0 })

/**
 * Starts a process and waits only until it has started, or could not. With `after`, those calls go ahead of it in
 * the same write, and the guest starts nothing when one of them fails.
 */
export const spawn = (
  connection: Connection,
  request: SpawnRequest,
  after: ReadonlyArray<Call<unknown>> = []
): Effect.Effect<GuestProcess, AgentCallFailed | SpawnFailed, Scope.Scope> =>
  Effect.suspend(() => {
    const id = request.id ?? newRequestId()
    return Effect.map(
      openStream(connection, openerOf(request, id), optionsOf(request, after)),
      startedAs(connection, id)
    )
  })

/** Has a process started, at once, that goes on until it is released, also without this connection; gives what waits for its start. */
export const launch = (
  connection: Connection,
  request: SpawnRequest
): Effect.Effect<Effect.Effect<GuestProcess, SpawnFailed>> =>
  Effect.suspend(() => {
    const id = request.id ?? newRequestId()
    return Effect.map(
      launchStream(connection, openerOf(request, id), optionsOf(request, [])),
      (started) => Effect.map(started, startedAs(connection, id)) as Effect.Effect<GuestProcess, SpawnFailed>
    )
  })

/**
 * The process behind a stream that has started. Every command makes one and uses two or three of its parts, so those are made when
 * they are asked for; they are functions of their own, and may be handed on without it.
 */
export class StreamedProcess implements GuestProcess {
  readonly id: string
  readonly pid: number
  readonly stdinOffset: number
  readonly #connection: Connection
  readonly #stream: GuestStream

  constructor(
    connection: Connection,
    stream: GuestStream,
    known: { readonly id: string; readonly pid: number; readonly stdinOffset: number }
  ) {
    this.#connection = connection
    this.#stream = stream
    this.id = known.id
    this.pid = known.pid
    this.stdinOffset = known.stdinOffset
  }

  get output() {
    return piecesOf(this.#stream, outputOf)
  }

  get forEachOutput(): GuestProcess["forEachOutput"] {
    return (f) => forEachPiece(this.#stream, outputOf, f)
  }

  get writeStdin(): GuestProcess["writeStdin"] {
    return (bytes) => this.#stream.input.write(bytes)
  }

  get endStdin() {
    return Effect.suspend(() => this.#stream.input.end())
  }

  get resize(): GuestProcess["resize"] {
    return ({ cols, rows }) => this.#send(HostMessage.Resize, { rows: cells(rows), cols: cells(cols) })
  }

  get signal(): GuestProcess["signal"] {
    return (signal, target = "process") =>
      this.#send(HostMessage.Signal, {
        target: target === "group" ? SignalTarget.group : SignalTarget.main,
        signal: typeof signal === "number" ? signal : constants.signals[signal]
      })
  }

  get kill() {
    return this.#send(HostMessage.Signal, { target: SignalTarget.everything, signal: constants.signals.SIGKILL })
  }

  get exit() {
    return Effect.mapError(this.#stream.ended.wait, (error) =>
      error._tag === "refused"
        ? new ChannelFailed({
          detail: `the guest gave up on process ${this.pid}: ${errnoName(error.errno)} (${error.step})`
        })
        : error)
  }

  get release() {
    return Effect.sync(() => this.#connection.release(this.#stream))
  }

  #send<A>(message: Message<A>, value: A) {
    return Effect.andThen(
      this.#connection.outbox.room,
      Effect.suspend(() => {
        if (this.#connection.failure !== undefined) return Effect.fail(this.#connection.failure)
        if (!this.#stream.isEnded) this.#stream.send(message, value)
        return Effect.void
      })
    )
  }
}
