import { Data, Effect } from "effect"
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import { HostToolMissing } from "../../contract/errors/errors.ts"
import { openFile } from "./content.ts"

/** Another process held the lock past the deadline of the caller. */
export class LockTimeout extends Data.TaggedError("LockTimeout")<{ readonly path: string; readonly waitedMs: number }> {
  override get message() {
    return `another process held ${this.path} for more than ${this.waitedMs} ms`
  }
}

/**
 * Holds a flock(2) on a file until the Scope closes. The kernel releases it at any death of this process. Node has no flock, but the lock
 * belongs to the open file description and not to a process: the `flock` program of util-linux takes it on an inherited descriptor, and
 * this process keeps it. The file is never deleted, because two holders of two inodes would not exclude each other. `timeoutMs: 0` does not wait.
 */
export const acquireLock = (path: string, options: { readonly timeoutMs: number; readonly shared?: boolean }) =>
  openFile(path, fs.constants.O_RDWR | fs.constants.O_CREAT).pipe(
    Effect.tap((fd) => Effect.interruptible(take(fd, path, options))),
    Effect.asVoid
  )

/** Runs an effect while holding the lock of `path`. */
export const withLock =
  (path: string, options: { readonly timeoutMs: number; readonly shared?: boolean }) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.scoped(Effect.andThen(acquireLock(path, options), effect))

const take = (fd: number, path: string, options: { readonly timeoutMs: number; readonly shared?: boolean }) =>
  Effect.callback<void, LockTimeout | HostToolMissing>((resume) => {
    const mode = options.shared === true ? "--shared" : "--exclusive"
    const waiting = options.timeoutMs === 0 ? ["--nonblock"] : ["--wait", (options.timeoutMs / 1000).toFixed(3)]
    const child = spawn("flock", [mode, ...waiting, "3"], {
      stdio: ["ignore", "ignore", "ignore", fd]
    })
    child.on(
      "error",
      () => resume(new HostToolMissing({ tool: "flock", package: "util-linux", detail: "it was not found on PATH" }))
    )
    child.on(
      "exit",
      (code) => resume(code === 0 ? Effect.void : new LockTimeout({ path, waitedMs: options.timeoutMs }))
    )
    return Effect.sync(() => void child.kill("SIGKILL"))
  })
