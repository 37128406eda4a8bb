import { Effect, Option, Schedule, Schema } from "effect"
import { DaemonUnavailable } from "../../contract/errors/errors.ts"
import type { DaemonStatus } from "../../contract/rows/daemon.ts"
import { listVmIds, readRecord, vmPaths, type VmRecord } from "../../lib/vm/model/record.ts"
import { readJson } from "../../system/files/atomic-file.ts"
import { readTail } from "../../system/files/line-log.ts"
import { daemonFiles, Paths } from "../../system/files/Paths.ts"
import { isAlive, ProcessIdentity, signalIdentity } from "../../system/processes/identity.ts"
import { deadlineScale } from "../../system/settings/deadline-scale.ts"
import { readMetrics } from "../../system/telemetry/metrics.ts"
import { SLOW_MS, Timings } from "../../system/telemetry/timings.ts"
import { recordedWorkspaces } from "../../workspace/life/records/recorded.ts"
import { diskUsage } from "./disk/usage.ts"

/** The record of a running daemon. */
export const DaemonRecord = Schema.Struct({
  process: ProcessIdentity,
  version: Schema.String,
  startedAt: Schema.String
})
export type DaemonRecord = typeof DaemonRecord.Type

/** The daemon that runs, or is leaving. */
export const runningDaemon = Effect.gen(function*() {
  const { record } = yield* daemonFiles
  const found = yield* Effect.orElseSucceed(readJson(record, DaemonRecord), () => Option.none<DaemonRecord>())
  return Option.filter(found, ({ process }) => isAlive(process))
})

export const daemonStatus = Effect.gen(function*() {
  const paths = yield* Paths
  const { log } = yield* daemonFiles
  const daemon = yield* runningDaemon
  const workspaceOf = new Map(
    (yield* recordedWorkspaces).flatMap(({ id, vm }) => vm === undefined ? [] : [[vm, id] as const])
  )
  const vms: Array<DaemonStatus["vms"][number]> = []
  for (const id of listVmIds(paths.stateDir)) {
    const record = yield* Effect.orElseSucceed(readRecord(vmPaths(paths, id)), () => Option.none<VmRecord>())
    if (Option.isNone(record)) continue
    const { memoryMib, process, purpose } = record.value
    const workspace = workspaceOf.get(id)
    vms.push({
      id,
      purpose,
      memoryMib,
      ...(workspace === undefined ? {} : { workspace }),
      ...(process === undefined ? {} : { pid: process.pid })
    })
  }
  const status: DaemonStatus = {
    running: Option.isSome(daemon),
    ...(Option.isNone(daemon)
      ? {}
      : { pid: daemon.value.process.pid, version: daemon.value.version, startedAt: daemon.value.startedAt }),
    logPath: log,
    vms,
    disk: yield* diskUsage
  }
  return status
})

/** The same in the daemon, the only process with metrics. */
export const daemonStatusWithMetrics = Effect.zipWith(
  daemonStatus,
  readMetrics,
  (status, metrics): DaemonStatus => ({ ...status, metrics })
)

const stopTimeoutMs = 30_000 * deadlineScale

/** Asks the daemon to leave, and waits for its end. The workspaces go on. */
export const daemonStop = Effect.gen(function*() {
  const daemon = yield* runningDaemon
  if (Option.isNone(daemon)) return { stopped: false }
  const identity = daemon.value.process
  signalIdentity(identity, "SIGTERM")
  yield* Effect.sync(() => isAlive(identity)).pipe(
    Effect.repeat({ while: (alive) => alive, schedule: Schedule.spaced("10 millis") }),
    Effect.timeoutOrElse({
      duration: stopTimeoutMs,
      orElse: () =>
        Effect.fail(
          new DaemonUnavailable({
            detail: `process ${identity.pid} does not end; no workspace is lost by ending it: kill -9 ${identity.pid}`
          })
        )
    })
  )
  return { stopped: true }
})

export const daemonLogs = ({ maxBytes }: { readonly maxBytes: number }) =>
  Effect.map(daemonFiles, ({ log }) => ({ text: readTail(log, maxBytes) }))

/** Slow operations of this process. Only a daemon has some. */
export const daemonTimings = ({ limit }: { readonly limit: number }) =>
  Effect.gen(function*() {
    const timings = yield* Effect.serviceOption(Timings)
    const slow = Option.isNone(timings) ? [] : yield* timings.value.slow(limit)
    const operations = slow.map(({ startedAtMs, ...one }) => ({
      startedAt: new Date(startedAtMs).toISOString(),
      ...one
    }))
    return { slowMs: SLOW_MS, operations }
  })
