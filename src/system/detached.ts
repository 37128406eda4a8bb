import { Effect } from "effect"
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import { DaemonUnavailable } from "../contract/errors.ts"

/** A log that has grown past this is put aside, once, before a new process writes to it. */
const ROTATE_BYTES = 4_194_304

/**
 * Starts a program in a session of its own that outlives this process, with what it says in `log`. `ended` completes
 * with its status.
 */
export const startDetached = (command: readonly [string, ...ReadonlyArray<string>], log: string) =>
  Effect.try({
    try: () => {
      if ((fs.statSync(log, { throwIfNoEntry: false })?.size ?? 0) > ROTATE_BYTES) fs.renameSync(log, `${log}.1`)
      const [program, ...args] = command
      const fd = fs.openSync(log, "a", 0o600)
      try {
        const child = spawn(program, args, { cwd: "/", detached: true, stdio: ["ignore", fd, fd] })
        const ended = Effect.async<number>((resume) => {
          child.once("error", () => resume(Effect.succeed(127)))
          child.once("exit", (code) => resume(Effect.succeed(code ?? 128)))
        })
        child.unref()
        return { ended }
      } finally {
        fs.closeSync(fd)
      }
    },
    catch: (cause) => new DaemonUnavailable({ detail: `it cannot be started: ${(cause as Error).message}` })
  })
