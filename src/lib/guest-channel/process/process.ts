import { Effect, type Scope } from "effect"
import { constants } from "node:os"
import {
  ChannelFailed,
  CommandNotExecutable,
  CommandNotFound,
  CommandNotStarted
} from "../../../contract/errors/errors.ts"
import { escapeGuestText } from "../../../contract/text/printable.ts"
import { newRequestId } from "../../../system/processes/identity.ts"
import type { Call } from "../model/calls.ts"
import { type AgentCallFailed, EACCES, EEXIST, EISDIR, ENOENT, ENOEXEC, errnoName } from "../model/errors.ts"
import type { GuestString } from "../model/guest-string.ts"
import type { GuestProcess, SpawnRequest } from "../model/process.ts"
import type { Connection } from "../session/connection.ts"
import { launchStream, type Opener, openStream, windowOf } from "../session/open.ts"
import { forEachPiece, piecesOf } from "../streams/pieces.ts"
import type { GuestStream } from "../streams/stream.ts"
import type { Refused } from "../wire/ending.ts"
import { HostMessage, type Message, SignalTarget, SpawnFlag } from "../wire/messages.ts"
import type { Unencodable } from "../wire/violation.ts"

const signalTargets = { process: SignalTarget.main, group: SignalTarget.group, command: SignalTarget.command } as const

const cells = (count: number) => Math.min(Math.max(Math.trunc(count), 0), 0xffff)

/** The process of a started stream. Its parts work without the object. Getters make the effects, since most commands use few of them. */
export const processOf = (
  connection: Connection,
  stream: GuestStream,
  known: Pick<GuestProcess, "id" | "pid" | "stdinOffset">
): GuestProcess => {
  const send = <A>(message: Message<A>, value: A, { alsoEnded = false } = {}) =>
    Effect.andThen(
      connection.outbox.room,
      Effect.suspend(() => {
        if (connection.failure !== undefined) return Effect.fail(connection.failure)
        if (alsoEnded || !stream.isEnded) stream.send(message, value)
        return Effect.void
      })
    )
  return {
    ...known,
    get output() {
      return piecesOf(stream)
    },
    forEachOutput: (f, take) => forEachPiece(stream, f, take),
    keepFrom: (from, position) => stream.keepFrom(from, position),
    stdinSent: () => stream.input.sent,
    writeStdin: (bytes) => stream.input.write(bytes),
    tryWriteStdin: (bytes) => {
      const isTaken = stream.input.tryWrite(bytes)
      if (isTaken) connection.outbox.flush()
      return isTaken
    },
    get endStdin() {
      return Effect.suspend(() => stream.input.end())
    },
    resize: ({ cols, rows }) => send(HostMessage.Resize, { rows: cells(rows), cols: cells(cols) }),
    signal: (signal, target = "process") =>
      send(HostMessage.Signal, {
        target: signalTargets[target],
        signal: typeof signal === "number" ? signal : constants.signals[signal]
      }),
    get kill() {
      const everything = { target: SignalTarget.everything, signal: constants.signals.SIGKILL }
      return send(HostMessage.Signal, everything, { alsoEnded: true })
    },
    get exit() {
      return Effect.mapError(stream.ended.wait, (error) =>
        error._tag === "refused"
          ? new ChannelFailed({
            detail: `the guest gave up on process ${known.pid}: ${errnoName(error.errno)} (${error.step})`
          })
          : error)
    },
    get release() {
      return Effect.sync(() => connection.release(stream))
    }
  }
}

const textOf = (value: GuestString) => typeof value === "string" ? value : escapeGuestText(value)

const notStarted = (argv: SpawnRequest["argv"]) => ({ detail, errno, step }: Refused) => {
  const told = escapeGuestText(detail)
  // The release removed the outcome of the earlier process.
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

type ValueOf<M> = M extends Message<infer A> ? A : never
export type SpawnFailed = ChannelFailed | CommandNotExecutable | CommandNotFound | CommandNotStarted

const openerOf = (request: SpawnRequest, id: string): Opener<ValueOf<typeof HostMessage.Spawn>> => {
  const window = windowOf(request.windowBytes)
  const pty = request.pty !== undefined
  return {
    message: HostMessage.Spawn,
    fields: {
      id: Buffer.from(id, "hex"),
      window,
      flags: (pty ? SpawnFlag.pty : 0) | (request.stdin === true ? SpawnFlag.stdin : 0) |
        (request.mergesOutput === true && !pty ? SpawnFlag.merged : 0),
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
    processOf(connection, stream, { id, pid, stdinOffset: 0 })

/**
 * Starts a process, and waits for its start or its failure. The calls of `after` precede it in the same write, and the guest starts nothing if
 * one of them fails.
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

/** Starts a process at once. It runs until its release, also without this connection. Gives an effect that waits for its start. */
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
