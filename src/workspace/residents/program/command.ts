import { Effect, type Scope, Stream } from "effect"
import * as path from "node:path"
import { OUT_OF_MEMORY, TIMED_OUT } from "../../../contract/errors/exit-status.ts"
import { DEFAULT_GRACE_SECONDS } from "../../../contract/rows/command.ts"
import type { RunInput } from "../../../contract/rows/run-input.ts"
import type { RunPayload } from "../../../contract/rows/run.ts"
import { printable, typed } from "../../../contract/text/printable.ts"
import type { GuestProcess, ProcessExit, SpawnRequest } from "../../../lib/guest-channel/model/process.ts"
import { withTimeout } from "../../../system/waits/effects.ts"
import type { CommandRole } from "./command-role.ts"

const GUEST_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/**
 * Variables of a command, as `K=V`: defaults, overridden by the caller's. The agent sets HOME, USER and LOGNAME from the guest's
 * own accounts unless the caller does.
 */
export const guestEnvironment = (request: Pick<RunPayload, "env" | "tty">): ReadonlyArray<string> =>
  Object.entries({
    PATH: GUEST_PATH,
    LANG: "C.UTF-8",
    SHELL: "/bin/bash",
    TERM: request.tty ? "xterm-256color" : "dumb",
    ...request.env
  }).map(([key, value]) => `${key}=${value}`)

/** Options of a command, the same for every request. */
export interface CommandRequest {
  readonly command: ReadonlyArray<string>
  /** Runs in a shell instead of `command`. */
  readonly script?: string
  readonly env: Readonly<Record<string, string>>
  /** A relative path is relative to /workspace. */
  readonly cwd: string
  /** @default root */
  readonly user?: string | undefined
  /** The stdin stays open for later writers. @default false */
  readonly openStdin?: boolean
  /** `written`: one pipe for stdout and stderr. */
  readonly order?: "stream" | "arrival" | "written" | undefined
  readonly tty: boolean
  readonly rows: number
  readonly cols: number
}

/** A login shell: bash, or sh in a guest without bash. */
export const shell = [
  "/bin/sh",
  "-c",
  "if [ -x /bin/bash ]; then exec /bin/bash -l; fi; SHELL=/bin/sh exec /bin/sh -l"
] as const
const shownShell = ["/bin/bash", "-l"] as const

/** bash if the guest has it. The script is one argument. */
const argvOf = ({ command, script }: CommandRequest): ReadonlyArray<string> =>
  script === undefined
    ? command
    : [
      "/bin/sh",
      "-c",
      "if [ -x /bin/bash ]; then exec /bin/bash -c \"$1\"; else exec /bin/sh -c \"$1\"; fi",
      "sh",
      script
    ]

/** Command line in the journal. A script becomes a call of bash, which all environments of pyro have. */
export const recordedCommand = (
  { command, script }: Pick<CommandRequest, "command" | "script">
): ReadonlyArray<string> => script === undefined ? command : ["bash", "-c", script]

/** Program of a shell: the login shell unless the request names one. */
export const programOf = (command: ReadonlyArray<string>): ReadonlyArray<string> =>
  command.length === 0 ? shownShell : command

export const spawnRequest = (request: CommandRequest, input: RunInput): SpawnRequest => {
  const [program, ...args] = argvOf(request)
  return {
    argv: program === undefined ? shell : [program, ...args],
    env: guestEnvironment(request),
    cwd: path.posix.resolve("/workspace", request.cwd),
    user: request.user === undefined || request.user === "root" ? "" : request.user,
    stdin: request.tty || request.openStdin === true || input.stdin !== undefined,
    mergesOutput: request.order === "written",
    ...(request.tty ? { pty: { rows: request.rows, cols: request.cols } } : {})
  }
}

/** Exit status as a shell would give it. */
const statusOf = (exit: ProcessExit) =>
  exit._tag === "exited" ? exit.code : exit._tag === "oom" ? OUT_OF_MEMORY : 128 + exit.code

/** End of a command in the contract's form. `late`: killed by its timeout. */
export const endOf = (exit: ProcessExit | undefined, late: boolean) => {
  if (late || exit === undefined) return { outcome: "timed_out", status: TIMED_OUT } as const
  const status = statusOf(exit)
  switch (exit._tag) {
    case "exited":
      return { outcome: "exited", status } as const
    case "signaled":
      return { outcome: "signaled", status, signal: exit.code } as const
    case "oom":
      return { outcome: "out_of_memory", status } as const
  }
}

/** Passes stdin and the sizes of the terminal to the process, until they end or the Scope closes. */
export const feed = (process: GuestProcess, input: RunInput): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function*() {
    if (input.stdin !== undefined) {
      yield* Stream.runForEach(input.stdin, process.writeStdin).pipe(
        Effect.andThen(process.endStdin),
        Effect.ignore, // the command's own end reports a lost channel
        Effect.forkScoped
      )
    }
    if (input.resizes !== undefined) {
      yield* Stream.runForEach(input.resizes, process.resize).pipe(
        Effect.ignore,
        Effect.forkScoped
      )
    }
  })

/** Reason for ending a command early. */
export type EndedBy = "cancel" | "timeout"

/** How a command is ended. */
export interface EndingOptions {
  /** From the signal to the kill; 0 kills at once. */
  readonly graceMs: number
  /** The signal is SIGHUP, because an interactive shell ignores SIGINT and SIGTERM. */
  readonly tty: boolean
  /** The signal is SIGTERM, the request to end for servers. Processes that the service leaves end with it. */
  readonly isService: boolean
  /** The stop signal of the image whose command this is. As in Docker, the first process alone gets it. */
  readonly stopSignal?: number | undefined
}

const askForEnd = (process: GuestProcess, by: EndedBy, { isService, stopSignal, tty }: EndingOptions) =>
  stopSignal === undefined
    ? process.signal(tty ? "SIGHUP" : by === "cancel" && !isService ? "SIGINT" : "SIGTERM", "group")
    : process.signal(stopSignal)

export const endingOptions = (
  { graceMs = DEFAULT_GRACE_SECONDS * 1000, role, stopSignal, tty }: {
    readonly graceMs?: number | undefined
    readonly tty?: boolean | undefined
    readonly role?: CommandRole | undefined
    readonly stopSignal?: number | undefined
  }
): EndingOptions => ({
  graceMs,
  tty: tty === true,
  isService: role?._tag === "service",
  stopSignal: role?._tag === "service" ? role.stopSignal : stopSignal
})

/**
 * Ends a process. Its group, or with a stop signal the process, gets a signal first, so that its handlers run. After its grace or its end, all its processes get
 * SIGKILL. A failure of the channel is ignored, because the process's own end reports it.
 */
export const endProcess = (process: GuestProcess, by: EndedBy, ending: EndingOptions): Effect.Effect<void> =>
  (ending.graceMs <= 0 ? Effect.void : askForEnd(process, by, ending).pipe(
    Effect.andThen(withTimeout(ending.graceMs, Effect.exit(process.exit))),
    Effect.ignore
  )).pipe(Effect.andThen(Effect.ignore(process.kill)))

/**
 * Whether a process ended because of its timeout. As with timeout(1), the status of its signal handler does not matter. False for a
 * process that got no signal and ended by itself in the last moment.
 */
export const ranOut = (exit: ProcessExit | undefined, { graceMs }: EndingOptions): boolean =>
  graceMs > 0 || exit?._tag !== "exited"

/** Maximum length of a command line in a summary, in characters. */
const COMMAND_LENGTH = 120

/** Maximum number of running commands in a summary. */
export const NAMED_RUNNING = 10

/** A command as one short line, as it would be typed into a shell. */
export const lineOf = (command: ReadonlyArray<string>): string => {
  const line = printable(typed(command)).replace(/\s+/g, " ").trim()
  const characters = [...line]
  return characters.length > COMMAND_LENGTH ? `${characters.slice(0, COMMAND_LENGTH - 1).join("")}…` : line
}
