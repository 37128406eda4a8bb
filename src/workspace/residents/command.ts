import { Effect, type Scope, Stream } from "effect"
import * as path from "node:path"
import { OUT_OF_MEMORY, TIMED_OUT } from "../../contract/errors/exit-status.ts"
import type { RunInput } from "../../contract/rows/run-input.ts"
import type { GuestProcess, ProcessExit, SpawnRequest } from "../../guest-channel/process.ts"
import { guestEnvironment } from "./guest-environment.ts"

/** Options of a command, the same for every request. */
export interface CommandRequest {
  readonly command: ReadonlyArray<string>
  /** Runs in a shell, in the place of `command`. */
  readonly script?: string
  readonly env: Readonly<Record<string, string>>
  /** A relative path is relative to /workspace. */
  readonly cwd: string
  /** @default root */
  readonly user?: string | undefined
  readonly tty: boolean
  readonly rows: number
  readonly cols: number
}

const shell = ["/bin/bash", "-l"] as const

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

/** Command line in the journal: a script as a call of the bash that all of pyro's environments have. */
export const recordedCommand = (
  { command, script }: Pick<CommandRequest, "command" | "script">
): ReadonlyArray<string> => script === undefined ? command : ["bash", "-c", script]

/** Program of a shell: the login shell unless the request names one. */
export const programOf = (command: ReadonlyArray<string>): ReadonlyArray<string> =>
  command.length === 0 ? shell : command

export const spawnRequest = (request: CommandRequest, input: RunInput): SpawnRequest => {
  const [program, ...args] = argvOf(request)
  return {
    argv: program === undefined ? shell : [program, ...args],
    env: guestEnvironment(request),
    cwd: path.posix.resolve("/workspace", request.cwd),
    user: request.user === undefined || request.user === "root" ? "" : request.user,
    stdin: request.tty || input.stdin !== undefined,
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

/** Passes stdin and the terminal's sizes on until they end, or the scope does. */
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
