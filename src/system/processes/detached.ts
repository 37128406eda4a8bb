import { Effect } from "effect"
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import { DaemonUnavailable } from "../../contract/errors/errors.ts"
import { daemonEnvironment } from "./environment.ts"

/** A larger log is renamed, once, before a new process writes to it. */
const ROTATE_BYTES = 4_194_304

/** A program that outlives this process. */
interface Detached {
  readonly command: readonly [string, ...ReadonlyArray<string>]
  /** Variables beside those of this process that a daemon needs. */
  readonly env: Readonly<Record<string, string>>
  /** File for its output, which is appended. */
  readonly log: string
}

/**
 * The program's parent is a shell that waits for it. A host such as OpenCode ends its servers with all their descendants, and a daemon
 * without a living parent belongs to no server. The shell gives the program its own session.
 */
const PARENT = "setsid -- \"$@\" & wait $!"

/** A shell's exit status for a program that a signal ended: this plus the signal's number. */
const SIGNAL_BASE = 128

const signalOf = (status: number): NodeJS.Signals | undefined =>
  (Object.entries(os.constants.signals) as Array<[NodeJS.Signals, number]>)
    .find(([, number]) => status === SIGNAL_BASE + number)?.[0]

/**
 * Starts a program in its own session, in the host's root directory. `ended` completes with its exit status or signal. `release` detaches
 * it, once the caller no longer waits for `ended`.
 */
export const startDetached = ({ command, env, log }: Detached) =>
  Effect.try({
    try: () => {
      if ((fs.statSync(log, { throwIfNoEntry: false })?.size ?? 0) > ROTATE_BYTES) fs.renameSync(log, `${log}.1`)
      const [program, ...args] = command
      const fd = fs.openSync(log, "a", 0o600)
      try {
        const child = spawn("sh", ["-c", PARENT, "sh", program, ...args], {
          cwd: "/",
          detached: true,
          env: { ...daemonEnvironment(), ...env },
          stdio: ["ignore", fd, fd]
        })
        const ended = Effect.callback<number | NodeJS.Signals>((resume) => {
          child.once("error", () => resume(Effect.succeed(127)))
          child.once("exit", (code, signal) => resume(Effect.succeed(signal ?? signalOf(code ?? 0) ?? code ?? 0)))
        })
        child.unref()
        return { ended, release: Effect.sync(() => void child.kill("SIGKILL")) }
      } finally {
        fs.closeSync(fd)
      }
    },
    catch: (cause) => new DaemonUnavailable({ detail: `it cannot be started: ${(cause as Error).message}` })
  })
