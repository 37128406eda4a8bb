import { Effect, Fiber, Layer, Option, Ref, type Scope } from "effect"
import { spawn } from "node:child_process"
import * as path from "node:path"
import { Pyro } from "../contract/rows/Pyro.ts"
import { DaemonRecord, runningDaemon } from "../local/daemon-control.ts"
import { writeJsonAtomic } from "../system/files/atomic-file.ts"
import { daemonFiles } from "../system/files/daemon-files.ts"
import { openFolder } from "../system/files/descriptor.ts"
import { removeFile, setMode } from "../system/files/entries.ts"
import { toHostError } from "../system/files/host-error.ts"
import { withLock } from "../system/files/lock.ts"
import { daemonEnvironment } from "../system/processes/daemon-environment.ts"
import { ownIdentity } from "../system/processes/identity.ts"
import { Timings } from "../system/telemetry/timings.ts"
import { nowIso } from "../system/waits/time.ts"
import { makeRequestTracker } from "./request-tracker.ts"
import type { Serving } from "./server/handlers.ts"
import { layerSocketServer } from "./server/server.ts"
import { untilIdle } from "./until-idle.ts"

/**
 * Reads until its stdin ends, which the kernel sees to when the process that holds the other end dies in whatever way, then becomes
 * the command. `read` is part of the shell: nothing else runs meanwhile.
 */
const waitThenRun = "while read -r _; do :; done; exec \"$@\""

/**
 * Runs a command once this process has died without closing the Scope: what it holds in vain, such as members of a pool, is then swept
 * without anybody coming by. Closing the Scope calls the watch off.
 */
export const startWatchdog = (
  command: readonly [string, ...ReadonlyArray<string>]
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      // A session of its own: what ends this process's terminal or process group must not end it too.
      const child = spawn("/bin/sh", ["-c", waitThenRun, "pyro-watchdog", ...command], {
        detached: true,
        cwd: "/",
        env: daemonEnvironment(),
        stdio: ["pipe", "ignore", "ignore"]
      })
      // Without a watch the next daemon sweeps; a shell that cannot be started is no reason not to serve.
      child.on("error", () => {})
      child.stdin.on("error", () => {})
      child.unref()
      const { stdin } = child
      if ("unref" in stdin && typeof stdin.unref === "function") stdin.unref()
      return child
    }),
    (child) =>
      Effect.sync(() => {
        // Before its stdin ends, or it would take that for our death.
        child.kill("SIGKILL")
        child.stdin.destroy()
      })
  ).pipe(Effect.asVoid)

/** Short whatever the state directory's path is: a socket address holds 107 bytes. */
const shortPath = (file: string) =>
  Effect.map(openFolder(path.dirname(file)), (fd) => `/proc/self/fd/${fd}/${path.basename(file)}`)

/**
 * Has the workspaces and serves them until it is interrupted, or nothing is left to hold. Its end leaves running workspaces running.
 * Fails with DaemonUnavailable when another process has them.
 */
export const serve = (version: string) =>
  Effect.scoped(Effect.gen(function*() {
    const { record, socket } = yield* daemonFiles
    const pyro = yield* Pyro
    // Takes the lock and takes up what an earlier daemon left, before anybody can ask for it.
    yield* pyro.workspace.list({ labels: {} })
    const requests = yield* makeRequestTracker
    const timings = Option.getOrUndefined(yield* Effect.serviceOption(Timings))
    const hasSpan: Serving["hasSpan"] = ({ name }) => timings === undefined || timings.wants(name)
    const serving: Serving = { requests, leaving: yield* Ref.make(false), hasSpan }
    // The lock is ours: whoever made a socket of this name is dead.
    yield* removeFile(socket)
    yield* writeJsonAtomic(record, DaemonRecord, {
      process: ownIdentity(),
      version,
      startedAt: yield* nowIso
    })
    yield* Layer.build(layerSocketServer(serving, yield* shortPath(socket)))
    // Before its requests are: commands go on without this process.
    yield* Effect.addFinalizer(() => Ref.set(serving.leaving, true))
    // Its folder is for this user alone anyway.
    yield* setMode(socket, 0o600)
    const unlink = Effect.ignoreCause(removeFile(socket))
    yield* Effect.addFinalizer(() => unlink)
    // What this process would release at its end, should it be killed: VMs of the pool and of `run`.
    yield* startWatchdog([process.execPath, process.argv[1] ?? "", "gc"])
    yield* Effect.logInfo(`pyro ${version}, process ${process.pid}: ready`)
    yield* untilIdle(requests, Effect.andThen(Effect.sync(requests.close), unlink))
    yield* requests.awaitClients
  })).pipe(Effect.catchTag("FileFailed", (failure) => Effect.fail(toHostError(failure))))

/** Takes back what this process said of itself as a daemon; not when another one is there, which says so in the same place. */
export const forgetDaemon = Effect.gen(function*() {
  const { lock, record } = yield* daemonFiles
  const forget = Effect.flatMap(
    runningDaemon,
    (found) => Option.exists(found, ({ process: { pid } }) => pid === process.pid) ? removeFile(record) : Effect.void
  )
  // A fiber of its own: this one has been interrupted when a signal ends the daemon, and would not wait for the lock.
  yield* Fiber.join(yield* Effect.forkDetach(withLock(lock, { timeoutMs: 0 })(forget)))
})
