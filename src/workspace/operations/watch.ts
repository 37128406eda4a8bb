import { Clock, Effect, Option, Stream } from "effect"
import type { WatchedWorkspace, WatchPayload, WatchTable } from "../../contract/rows/workspace-events.ts"
import { bytesBeneath } from "../../system/files/usage.ts"
import { processUsage } from "../../system/processes/identity.ts"
import { nowIso } from "../../system/waits/time.ts"
import type { Entry } from "../entry/entry.ts"
import type { EventLog } from "../entry/events.ts"
import { usedBeneath } from "./info.ts"

/** Whether a workspace has the labels, with these values. */
export const hasLabels = (
  { labels }: { readonly labels: Readonly<Record<string, string>> },
  wanted: Readonly<Record<string, string>>
) => Object.entries(wanted).every(([key, value]) => labels[key] === value)

/** CPU times of microVMs at an earlier look, by workspace. */
export type SeenUsage = Map<string, Seen>

/** CPU time of a microVM at the time of a table. */
interface Seen {
  readonly pid: number
  readonly cpuMs: number
  readonly atMs: number
}

const percentOf = (before: Seen | undefined, now: Seen): number | undefined =>
  before === undefined || before.pid !== now.pid || now.atMs <= before.atMs
    ? undefined
    : Math.round(1_000 * (now.cpuMs - before.cpuMs) / (now.atMs - before.atMs)) / 10

/** States of a service whose program runs, or stands still. */
const RUNS = ["starting", "ready", "running", "paused"]

/** Use of the host by the microVM of a workspace. Empty without one. */
export const usageOf = (entry: Entry, seen: SeenUsage) =>
  Effect.gen(function*() {
    const generation = Option.getOrUndefined(yield* entry.generation.now)
    const pid = generation?.guest.vm.process.pid
    // Pages that such a VM maps and has not written are shared with other VMs.
    const isShared = generation?.guest.vm.memoryKind === "shared"
    const usage = pid === undefined ? undefined : processUsage(pid)
    if (pid === undefined || usage === undefined) {
      seen.delete(entry.id)
      return {}
    }
    const now = { pid, cpuMs: usage.cpuMs, atMs: yield* Clock.currentTimeMillis }
    const cpuPercent = percentOf(seen.get(entry.id), now)
    seen.set(entry.id, now)
    return {
      ...(cpuPercent === undefined ? {} : { cpuPercent }),
      memoryBytes: usage.residentBytes,
      sharedBytes: isShared ? usage.residentBytes - usage.privateBytes : usage.sharedBytes
    }
  })

const rowOf = (entry: Entry, seen: SeenUsage): Effect.Effect<WatchedWorkspace> =>
  Effect.gen(function*() {
    const { disk, id, name } = yield* entry.record.now
    const { state } = yield* entry.state.now
    const residents = Option.getOrUndefined(yield* entry.residents.now)
    const { ports = [], runningCommands = 0, services = {}, shells = 0 } = residents === undefined
      ? {}
      : yield* residents.describe
    return {
      id,
      ...(name === undefined ? {} : { name }),
      state,
      ...(yield* usageOf(entry, seen)),
      diskBytes: usedBeneath(entry.folder.disk(disk)) + (state === "paused" ? bytesBeneath(entry.folder.paused) : 0),
      execs: runningCommands,
      services: RUNS.reduce((sum, state) => sum + (services[state] ?? 0), 0),
      shells,
      ports: ports.filter(({ hostPort }) => hostPort !== undefined).length
    }
  })

/** Minimum time between two tables, so that a workspace that changes all the time does not keep the daemon busy. */
const LEAST_MS = 100

/** A table of workspaces at once, then after each event, and after `intervalMs` without an event. */
export const watchWorkspaces = (
  log: EventLog["Service"],
  entries: Effect.Effect<ReadonlyArray<Entry>>,
  { intervalMs, labels }: WatchPayload
): Stream.Stream<WatchTable> =>
  Stream.suspend(() => {
    const seen: SeenUsage = new Map()
    let known = log.recorded()
    const table = Effect.gen(function*() {
      known = log.recorded()
      const wanted = yield* Effect.filter(
        yield* entries,
        (entry) => Effect.map(entry.record.now, (record) => hasLabels(record, labels))
      )
      const all = yield* Effect.forEach(wanted, (entry) => rowOf(entry, seen))
      const there = new Set(all.map(({ id }) => id))
      for (const id of seen.keys()) if (!there.has(id)) seen.delete(id)
      return { _tag: "Table" as const, at: yield* nowIso, workspaces: all }
    })
    const changed = Effect.raceFirst(Effect.suspend(() => log.next(known)), Effect.sleep(intervalMs))
    const later = Effect.andThen(Effect.sleep(LEAST_MS), Effect.andThen(changed, table))
    return Stream.concat(Stream.fromEffect(table), Stream.fromEffectRepeat(later))
  })
