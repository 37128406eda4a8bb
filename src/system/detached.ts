import { Effect } from "effect"
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import { DaemonUnavailable } from "../contract/errors.ts"
import { processEnvironment } from "./config.ts"

/** A log that has grown past this is put aside, once, before a new process writes to it. */
const ROTATE_BYTES = 4_194_304

/** A program that outlives this process. */
export interface Detached {
  readonly command: readonly [string, ...ReadonlyArray<string>]
  /** Variables beside those of this process. */
  readonly env: Readonly<Record<string, string>>
  /** File that what it says is added to. */
  readonly log: string
}

/** Starts a program in a session of its own, in the host's root directory. `ended` completes with its status, or with the signal that ended it. */
export const startDetached = ({ command, env, log }: Detached) =>
  Effect.try({
    try: () => {
      if ((fs.statSync(log, { throwIfNoEntry: false })?.size ?? 0) > ROTATE_BYTES) fs.renameSync(log, `${log}.1`)
      const [program, ...args] = command
      const fd = fs.openSync(log, "a", 0o600)
      try {
        const child = spawn(program, args, {
          cwd: "/",
          detached: true,
          env: { ...processEnvironment(), ...env },
          stdio: ["ignore", fd, fd]
        })
        const ended = Effect.async<number | NodeJS.Signals>((resume) => {
          child.once("error", () => resume(Effect.succeed(127)))
          child.once("exit", (code, signal) => resume(Effect.succeed(signal ?? code ?? 0)))
        })
        child.unref()
        return { ended }
      } finally {
        fs.closeSync(fd)
      }
    },
    catch: (cause) => new DaemonUnavailable({ detail: `it cannot be started: ${(cause as Error).message}` })
  })
