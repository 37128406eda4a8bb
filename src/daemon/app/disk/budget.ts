import { Effect } from "effect"
import { NoSpace } from "../../../contract/errors/errors.ts"
import { statFile } from "../../../system/files/entries.ts"
import { toHostError } from "../../../system/files/failure.ts"
import { Paths } from "../../../system/files/Paths.ts"
import { freeMib } from "../../../system/files/usage.ts"
import { setting } from "../../../system/settings/config.ts"
import { nowMs } from "../../../system/waits/time.ts"
import { cacheEntries, diskUsage } from "./usage.ts"

const mib = 1024 * 1024

/** An entry that was used within this time may be in use, in ms. */
const IN_USE_MS = 10 * 60_000

interface Shortage {
  /** Whether an eviction from the cache can free the missing bytes. */
  readonly endsByEviction: boolean
  readonly where: string
  readonly path: string
  readonly bytes: number
  readonly neededBytes: number
}

/** The shortage of the reserve on one file system. */
const reserveShortage = (where: string, folder: string, cacheDir: string, reserveBytes: number) =>
  Effect.gen(function*() {
    const free = yield* freeMib(folder)
    const [own, cache] = [yield* statFile(folder), yield* statFile(cacheDir)]
    const shortage: Shortage = {
      where,
      path: folder,
      bytes: reserveBytes - free * mib,
      neededBytes: reserveBytes,
      endsByEviction: own === undefined || own.dev === cache?.dev
    }
    return shortage
  }).pipe(Effect.mapError(toHostError))

/** The excess over the budget. Without a budget, nothing is counted. */
const budgetShortage = (stateDir: string) =>
  Effect.gen(function*() {
    const budgetBytes = (yield* setting("PYRO_DISK_BUDGET_MIB")) * mib
    if (budgetBytes === 0) return []
    const { usedBytes } = yield* diskUsage
    const shortage: Shortage = {
      where: "disk budget (PYRO_DISK_BUDGET_MIB)",
      path: stateDir,
      bytes: usedBytes - budgetBytes,
      neededBytes: usedBytes,
      endsByEviction: true
    }
    return [shortage]
  })

/** The largest shortage of disk space, if there is one. */
const shortage = Effect.gen(function*() {
  const { cacheDir, stateDir } = yield* Paths
  const reserveBytes = (yield* setting("PYRO_DISK_RESERVE_MIB")) * mib
  const all = [
    yield* reserveShortage("state directory", stateDir, cacheDir, reserveBytes),
    yield* reserveShortage("cache", cacheDir, cacheDir, reserveBytes),
    ...yield* budgetShortage(stateDir)
  ]
  const [largest] = all.filter(({ bytes }) => bytes > 0).sort((one, other) => other.bytes - one.bytes)
  return largest
})

/** Removes caches, least recently used first, until the bytes are free. Those in use stay. */
const evict = (neededBytes: number) =>
  Effect.gen(function*() {
    const unusedSinceMs = (yield* nowMs) - IN_USE_MS
    const oldestFirst = (yield* cacheEntries)
      .filter(({ bytes, usedMs }) => bytes > 0 && usedMs < unusedSinceMs)
      .sort((one, other) => one.usedMs - other.usedMs)
    const evicted: Array<{ readonly kind: string; readonly what: string; readonly freedBytes: number }> = []
    let freed = 0
    for (const { bytes, kind, name, remove } of oldestFirst) {
      if (freed >= neededBytes) break
      yield* Effect.mapError(remove, toHostError)
      freed += bytes
      evicted.push({ kind: `evicted ${kind}`, what: name, freedBytes: bytes })
      yield* Effect.logInfo(`evicted ${kind} ${name}: ${Math.ceil(bytes / mib)} MiB`)
    }
    return evicted
  })

/** Evicts caches if the disk budget or the free space demands it. Gives the evicted entries. */
export const tendDisk = Effect.flatMap(
  shortage,
  (found) => found?.endsByEviction === true ? evict(found.bytes) : Effect.succeed([])
)

/** Fails with NoSpace unless there is room for something new, also after an eviction. */
export const demandDiskRoom = Effect.gen(function*() {
  const before = yield* shortage
  if (before === undefined) return
  if (before.endsByEviction) yield* evict(before.bytes)
  const still = yield* shortage
  if (still === undefined) return
  const { bytes, neededBytes, path, where } = still
  return yield* new NoSpace({
    where,
    path,
    neededMib: Math.ceil(neededBytes / mib),
    availableMib: Math.max(0, Math.floor((neededBytes - bytes) / mib))
  })
})
