import { Cause, Effect } from "effect"
import type { PyroError } from "../../../contract/errors/errors.ts"
import { typedMessage } from "../../../contract/rows/next-steps.ts"
import type { GuestProcess, ProcessExit, TerminalSize } from "../../guest-channel/model/process.ts"
import { hangUp, hangUpTerminal } from "../model/hang-up.ts"
import { makePipe, type Pipe, type SshChannel } from "./channel.ts"

/** A program that a client asks for. */
export interface SshProgram {
  /** `shell`: a login shell. `sftp`: the server of sftp. */
  readonly what: "command" | "shell" | "sftp"
  /** A command line of a shell. Empty for the others. */
  readonly command: string
  readonly user: string
  readonly env: Readonly<Record<string, string>>
  readonly pty?: TerminalSize & { readonly type: string }
}

/** Starts a program, which then runs until its release. */
export type StartProgram = (program: SshProgram) => Effect.Effect<GuestProcess, PyroError>

const OUT_OF_MEMORY = 137
/** As a shell has it for a command that it could not start. */
const NOT_STARTED = 126

/** Signals of RFC 4254, by their number in Linux. */
const signals: ReadonlyMap<number, string> = new Map([
  [1, "HUP"],
  [2, "INT"],
  [3, "QUIT"],
  [4, "ILL"],
  [6, "ABRT"],
  [8, "FPE"],
  [9, "KILL"],
  [10, "USR1"],
  [11, "SEGV"],
  [12, "USR2"],
  [13, "PIPE"],
  [14, "ALRM"],
  [15, "TERM"]
])
const numberOf = (name: string) => [...signals].find(([, known]) => known === name)?.[0]

const tellExit = (channel: SshChannel, pipe: Pipe, { _tag, code }: ProcessExit) =>
  Effect.gen(function*() {
    if (_tag === "oom") {
      yield* pipe.writeError("pyro: the guest's kernel killed the command for lack of memory\n")
      return channel.exit(OUT_OF_MEMORY)
    }
    const signal = _tag === "signaled" ? signals.get(code) : undefined
    if (signal !== undefined) channel.exit(signal, false, "")
    else channel.exit(_tag === "signaled" ? 128 + code : code)
  })

/** A running session: the client's requests to its program. */
export interface Session {
  readonly resize: (size: TerminalSize) => Effect.Effect<void>
  readonly signal: (name: string) => Effect.Effect<void>
}

/** Runs a program on a channel, until the program and its output have ended, or the guest is lost. `started` gets the session when it runs. */
export const runProgram = (
  channel: SshChannel,
  program: SshProgram,
  start: StartProgram,
  started: (session: Session) => void
): Effect.Effect<void> => {
  const pipe = makePipe(channel)
  const leave = program.pty === undefined ? hangUp : hangUpTerminal
  const run = (process: GuestProcess) =>
    Effect.gen(function*() {
      started({
        resize: (size) => Effect.ignore(process.resize(size)),
        signal: (name) => {
          const number = numberOf(name)
          return number === undefined ? Effect.void : Effect.ignore(process.signal(number, "group"))
        }
      })
      const input = Effect.andThen(pipe.forEach(process.writeStdin), process.endStdin)
      const output = process.forEachOutput(({ bytes, from }) =>
        pipe.isClosed() ? Effect.void : from === "stderr" ? pipe.writeError(bytes) : pipe.write(bytes)
      )
      const exit = yield* Effect.andThen(output, process.exit).pipe(
        // Both end with the program.
        Effect.raceFirst(Effect.andThen(Effect.ignore(input), Effect.never)),
        Effect.raceFirst(Effect.andThen(pipe.whenClosed, Effect.andThen(leave(process), Effect.never)))
      )
      yield* tellExit(channel, pipe, exit)
    }).pipe(Effect.ensuring(process.release))
  const notStarted = (failure: PyroError) =>
    Effect.andThen(pipe.writeError(`pyro: ${typedMessage(failure)}\n`), Effect.sync(() => channel.exit(NOT_STARTED)))
  return start(program).pipe(
    Effect.matchEffect({
      onFailure: (failure) => failure._tag === "ChannelFailed" ? Effect.fail(failure) : notStarted(failure),
      onSuccess: run
    }),
    // Without its guest, the connection ends, which tells the client the reason. The end of one channel would come before, without one.
    Effect.matchCauseEffect({
      onFailure: (cause) => Cause.hasInterrupts(cause) ? pipe.close : Effect.void,
      onSuccess: () => pipe.close
    })
  )
}
