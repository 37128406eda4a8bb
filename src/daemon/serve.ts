import { Effect, Fiber, Layer, MutableRef, Option, Ref, Schedule } from "effect"
import * as path from "node:path"
import { Pyro } from "../contract/rows/Pyro.ts"
import { DaemonRecord, runningDaemon } from "../local/daemon-control.ts"
import { writeJsonAtomic } from "../system/files/atomic-file.ts"
import { daemonFiles } from "../system/files/daemon-files.ts"
import { openFolder } from "../system/files/descriptor.ts"
import { removeFile, setMode } from "../system/files/entries.ts"
import { toHostError } from "../system/files/host-error.ts"
import { withLock } from "../system/files/lock.ts"
import { ownIdentity, RETIRE_SIGNAL } from "../system/processes/identity.ts"
import { setting } from "../system/settings/config.ts"
import { Timings } from "../system/telemetry/timings.ts"
import { clockReader, nowIso } from "../system/waits/time.ts"
import { makeRequestTracker, type RequestTracker } from "./request-tracker.ts"
import type { Serving } from "./server/handlers.ts"
import { layerSocketServer } from "./server/server.ts"
import { startWatchdog } from "./watchdog.ts"

/** By then whoever started a daemon has asked it for something, in ms. */
const LEAST_IDLE_MS = 100
/** How long a daemon without workspaces and requests stays, in ms: the next command is quicker for it. */
const idleTime = Effect.map(setting("PYRO_DAEMON_IDLE_MS"), (ms) => Math.max(LEAST_IDLE_MS, ms))

const lookEveryMs = 250
/** By then the answer to the last request has been written, in ms. */
const ANSWERED_MS = 50

/** Short whatever the state directory's path is: a socket address holds 107 bytes. */
const shortPath = (file: string) =>
  Effect.map(openFolder(path.dirname(file)), (fd) => `/proc/self/fd/${fd}/${path.basename(file)}`)

/** Whether somebody asked to leave, if nothing is held, instead of after a while. */
const retirements = Effect.suspend(() => {
  const asked = MutableRef.make(false)
  const listener = () => void MutableRef.set(asked, true)
  return Effect.acquireRelease(
    Effect.sync(() => {
      process.on(RETIRE_SIGNAL, listener)
      return asked
    }),
    () => Effect.sync(() => process.off(RETIRE_SIGNAL, listener))
  )
})

/** Ends when there has been nothing to hold for a while, or nothing is held and somebody asks; at that moment it calls `close`. */
const untilIdle = (requests: RequestTracker, asked: MutableRef.MutableRef<boolean>, close: Effect.Effect<void>) =>
  Effect.gen(function*() {
    const pyro = yield* Pyro
    const idleMs = yield* idleTime
    const { monotonicMs } = yield* clockReader
    let heldAtMs = monotonicMs()
    const look = Effect.gen(function*() {
      const lookedAtMs = monotonicMs()
      const { workspaces } = yield* pyro.workspace.list({ labels: {} })
      // From here to `close` nothing else happens: a request comes before, and is seen, or after, and is refused.
      const since = requests.idleSinceMs()
      const held = workspaces.some(({ state }) => state !== "stopped" && state !== "failed")
      // What was done meanwhile is not in the list.
      const busy = held || since === undefined || since > lookedAtMs
      if (busy) {
        heldAtMs = monotonicMs()
        MutableRef.set(asked, false)
      }
      const stays = busy || monotonicMs() - Math.max(heldAtMs, since) < (MutableRef.get(asked) ? ANSWERED_MS : idleMs)
      if (!stays) yield* close
      return stays
    })
    yield* Effect.repeat(look, { while: (stays) => stays, schedule: Schedule.spaced(Math.min(lookEveryMs, idleMs)) })
    yield* Effect.logInfo("nothing is left to hold: leaving")
  })

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
    yield* untilIdle(requests, yield* retirements, Effect.andThen(Effect.sync(requests.close), unlink))
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
