import { Effect, Fiber, Layer, Option, Ref } from "effect"
import * as path from "node:path"
import { payloadOf } from "../contract/rows/payload-of.ts"
import { Pyro } from "../contract/rows/Pyro.ts"
import { writeJsonAtomic } from "../system/files/atomic-file.ts"
import { openFolder } from "../system/files/content.ts"
import { ensureFolder, removeFile, setMode } from "../system/files/entries.ts"
import { attempt, toHostError } from "../system/files/failure.ts"
import { withLock } from "../system/files/lock.ts"
import { daemonFiles, Paths } from "../system/files/Paths.ts"
import { openRotatedLog } from "../system/files/rotated-log.ts"
import { ownIdentity } from "../system/processes/identity.ts"
import { packageRoot } from "../system/processes/native.ts"
import { Timings } from "../system/telemetry/timings.ts"
import { nowIso } from "../system/waits/time.ts"
import { DaemonRecord, runningDaemon } from "./app/daemon-control.ts"
import { Page } from "./app/page.ts"
import { makePage } from "./page.ts"
import type { Serving } from "./server/handlers.ts"
import { makeRequestTracker } from "./server/request-tracker.ts"
import { layerSocketServer } from "./server/server.ts"
import { makeSpool, Spool } from "./spool/spool.ts"
import { untilIdle } from "./until-idle.ts"
import { startWatchdog } from "./watchdog.ts"

/** Short for every state directory: a socket address holds 107 bytes. */
const shortPath = (file: string) =>
  Effect.map(openFolder(path.dirname(file)), (fd) => `/proc/self/fd/${fd}/${path.basename(file)}`)

/**
 * Owns and serves the workspaces until it is interrupted, or holds nothing. Running workspaces go on after its end.
 * Fails with DaemonUnavailable if another process owns them.
 */
export const serve = (version: string) =>
  Effect.scoped(Effect.gen(function*() {
    const { door, page: pageFile, portable, record, socket, spool: spoolFolder } = yield* daemonFiles
    const sockets = [socket, portable, door]
    const pyro = yield* Pyro
    // Takes the lock and adopts the workspaces of an earlier daemon, before the first request.
    yield* pyro.workspace.list(payloadOf("workspace.list", {}))
    const requests = yield* makeRequestTracker
    const timings = Option.getOrUndefined(yield* Effect.serviceOption(Timings))
    const hasSpan: Serving["hasSpan"] = ({ name }) => timings === undefined || timings.wants(name)
    const audit = yield* makeAudit
    const serving: Serving = { audit, requests, leaving: yield* Ref.make(false), hasSpan, version }
    // This process has the lock, so the process that made the sockets is dead.
    yield* Effect.forEach(sockets, removeFile)
    yield* writeJsonAtomic(record, DaemonRecord, {
      process: ownIdentity(),
      version,
      startedAt: yield* nowIso
    })
    const page = yield* makePage({ directory: path.join(packageRoot(), "dist", "web"), file: pageFile, serving })
    const listening = layerSocketServer(serving, {
      socket: yield* shortPath(socket),
      portable: yield* shortPath(portable),
      door: yield* shortPath(door)
    })
    const spool = yield* makeSpool(spoolFolder)
    yield* Layer.build(listening).pipe(Effect.provideService(Page, page), Effect.provideService(Spool, spool))
    // Before the requests are interrupted: commands go on without this process.
    yield* Effect.addFinalizer(() => Ref.set(serving.leaving, true))
    // Their folder is for this user alone, too.
    yield* Effect.forEach(sockets, (path) => setMode(path, 0o600))
    const unlink = Effect.ignoreCause(Effect.forEach(sockets, removeFile, { discard: true }))
    yield* Effect.addFinalizer(() => unlink)
    // Sweeps VMs of the pool and of `run` if this process is killed.
    yield* startWatchdog([process.execPath, process.argv[1] ?? "", "gc"])
    yield* Effect.logInfo(`pyro ${version}, process ${process.pid}: ready`)
    yield* untilIdle(requests, Effect.andThen(Effect.sync(requests.close), unlink))
    yield* requests.awaitClients
  })).pipe(Effect.catchTag("FileFailed", (failure) => Effect.fail(toHostError(failure))))

/** The audit log of requests over the network. Its file exists from the first of them on. */
const makeAudit = Effect.gen(function*() {
  const { stateDir } = yield* Paths
  const folder = path.join(stateDir, "serve")
  const log = openRotatedLog(path.join(folder, "audit.jsonl"))
  yield* Effect.addFinalizer(() => Effect.sync(log.close))
  return (entry: object) =>
    Effect.catch(
      Effect.andThen(ensureFolder(folder), attempt("write", folder, () => log.append(entry))),
      ({ message }) => Effect.logError(`the audit log lacks an entry: ${message}: ${JSON.stringify(entry)}`)
    )
})

/** Removes the record of this daemon, unless another daemon has replaced it. */
export const forgetDaemon = Effect.gen(function*() {
  const { lock, record } = yield* daemonFiles
  const forget = Effect.flatMap(
    runningDaemon,
    (found) => Option.exists(found, ({ process: { pid } }) => pid === process.pid) ? removeFile(record) : Effect.void
  )
  // A fiber of its own: a signal interrupts this one, which then would not wait for the lock.
  yield* Fiber.join(yield* Effect.forkDetach(withLock(lock, { timeoutMs: 0 })(forget)))
})
