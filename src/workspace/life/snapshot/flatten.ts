import { Effect, Option } from "effect"
import { randomBytes } from "node:crypto"
import * as path from "node:path"
import type { WorkspaceNotFound } from "../../../contract/errors/errors.ts"
import { formatOf, type LayerFormat } from "../../../lib/disk/layer-format.ts"
import { SeedImages } from "../../../lib/disk/SeedImages.ts"
import {
  linkMerged,
  type MergedLayers,
  readWorkspaceDisk,
  type WorkspaceDisk
} from "../../../lib/disk/workspace-disk.ts"
import { Vmm } from "../../../lib/vm/Vmm.ts"
import { ensureFolder, inodeOf, linkFile } from "../../../system/files/entries.ts"
import { attempt, toHostError } from "../../../system/files/failure.ts"
import { bytesOnDisk } from "../../../system/files/usage.ts"
import { freeBytes } from "../../../system/processes/host.ts"
import { setting } from "../../../system/settings/config.ts"
import { variables } from "../../../system/settings/variables.ts"
import { faultPoint } from "../../../system/waits/fault.ts"
import { monotonicMs, nowMs } from "../../../system/waits/time.ts"
import { lastActivity } from "../../entry/activity.ts"
import { alone, discardFolder, type Lifecycle, removeFolder, removeStaged } from "../../entry/context.ts"
import type { Entry } from "../../entry/entry.ts"
import { unwritten, virtualBytesOf, type WorkspaceRecord } from "../../entry/record.ts"
import { isBusy } from "../../residents/open/entry-residents.ts"
import { type GuestServices, imagesOf } from "../guest/generation.ts"
import { inspectorSize } from "../read/inspector.ts"

/**
 * Number of frozen layers of one disk that starts a merge. Each layer costs QEMU two descriptors, and a look-up per cluster that no
 * layer above has.
 */
export const LONGEST_CHAIN = variables.PYRO_FLATTEN_AT.default

/**
 * The layers of a chain to merge: from `from` to the newest, given the `bytes` of each, oldest first. None if the chain is short.
 * An oldest layer with more bytes than all later ones together stays out, so that pyro does not copy a large layer again and again.
 * At the maximum length, the merge still takes at least half of the chain.
 */
export const runToMerge = (
  bytes: ReadonlyArray<number>,
  longest: number = LONGEST_CHAIN
): { readonly from: number } | undefined => {
  if (bytes.length < longest) return undefined
  let [from, rest] = [0, bytes.reduce((sum, one) => sum + one, 0)]
  while (bytes.length - from > Math.ceil(longest / 2)) {
    rest -= bytes[from]!
    if (bytes[from]! <= rest) break
    from += 1
  }
  return { from }
}

/** QEMU answers in ms. A silent one gets this limit. */
const REPLACE_TIMEOUT = "10 seconds"

/** Layers of a workspace's disk to merge now. `undefined` for a short chain, or a host without space. */
const plan = (disk: WorkspaceDisk, longest: number) =>
  Effect.gen(function*() {
    const bytes = disk.layers.map(bytesOnDisk)
    const run = runToMerge(bytes, longest)
    if (run === undefined) return undefined
    const needed = bytes.slice(run.from).reduce((sum, one) => sum + one, 0)
    const free = yield* attempt("statfs", disk.top, () => freeBytes(disk.top))
    return needed * 2 <= free ? { ...run, inodes: yield* Effect.forEach(disk.layers, inodeOf) } : undefined
  }).pipe(Effect.mapError(toHostError))

/** A VM with the frozen layers under its own overlay. No guest runs: only its confined QEMU is used. */
const openMerger = (entry: Entry, record: WorkspaceRecord, { layers, seed }: WorkspaceDisk) =>
  Effect.gen(function*() {
    const vmm = yield* Vmm
    const { vm } = yield* vmm.restore({
      seed,
      layers,
      purpose: "inspector",
      images: yield* imagesOf(entry, record),
      ...inspectorSize(record),
      placeholder: yield* Effect.flatMap(SeedImages, (seeds) => seeds.empty(record.diskMib)),
      dieWithParent: true,
      leastConfinement: record.requireConfinement,
      leaveUnmounted: true
    })
    return vm
  })

/**
 * Merges the older layers of a workspace's disk into one if there are many, and says whether it did. The workspace continues,
 * because frozen layers have no writer. Snapshots and forks keep their names of the layers. The merged file replaces the layers in
 * a new folder of the disk, and one write of the record switches over. A crash before leaves the old folder, a crash after it the
 * new one; the other is swept. A running VM then also reads the merged file.
 */
const flatten = (
  entry: Entry,
  /** Number of frozen layers below which nothing happens. */
  shortest: number,
  /** Holds the workspace alone during the exchange. */
  holding: Holding
) =>
  Effect.scoped(Effect.gen(function*() {
    const record = yield* entry.record.now
    const disk = yield* readWorkspaceDisk(entry.folder.disk(record.disk), virtualBytesOf(record))
    if (disk.layers.length < shortest) return false
    const run = yield* plan(disk, yield* setting("PYRO_FLATTEN_AT"))
    if (run === undefined) return false
    const { from, inodes } = run
    const file = yield* stagedFile(entry, formatOf(disk.top))
    // The VM ends before any process reads its output.
    yield* Effect.scoped(Effect.gen(function*() {
      const written = yield* newestStore(disk) ??
        Effect.flatMap(openMerger(entry, record, disk), ({ disks }) => disks.merge(from))
      yield* Effect.mapError(linkFile(written, file), unwritten(entry.folder))
    }))
    faultPoint("flatten:merged")
    return yield* exchange(entry, { disk: record.disk, inodes }, { from, count: disk.layers.length - from, file }).pipe(
      Effect.uninterruptible,
      holding
    )
  }))

type Holding = <A, E>(
  work: Effect.Effect<A, E, GuestServices>
) => Effect.Effect<A, E | WorkspaceNotFound, GuestServices>

/** Chains of this many times the length that starts a merge are merged before anything else. */
const TOO_LONG = 2

/**
 * Merges the layers of a paused workspace at once if a background merge has not come for long: each pause and resume adds a layer, and a
 * workspace that is paused and used in turns is never idle. Without room on the disk the chain stays. The caller holds the workspace alone.
 */
export const mergeIfTooLong = (entry: Entry): Effect.Effect<void, never, GuestServices> =>
  setting("PYRO_FLATTEN_AT").pipe(
    Effect.flatMap((longest) => flatten(entry, longest * TOO_LONG, (exchange) => exchange)),
    Effect.asVoid,
    Effect.catch(({ message }) => Effect.logWarning(`${entry.id}: layers of its disk stay as they are: ${message}`))
  )

/** The newest store has the content of all of them. Undefined for a disk of other layers. */
const newestStore = ({ layers, top }: WorkspaceDisk) => {
  const newest = formatOf(top) === "store" ? layers.findLast((layer) => bytesOnDisk(layer) > 0) : undefined
  return newest === undefined ? undefined : Effect.succeed(newest)
}

/** A name for the merged file, beside folders of comparisons: a sweep removes both after a crash. */
const stagedFile = ({ folder }: Entry, format: LayerFormat) =>
  Effect.gen(function*() {
    const directory = path.join(folder.compared, randomBytes(8).toString("hex"))
    yield* Effect.addFinalizer(() => removeStaged(folder.compared, directory))
    yield* Effect.mapError(ensureFolder(directory), unwritten(folder))
    return path.join(directory, `merged.${format}`)
  })

/** The caller holds the workspace alone. `read` are the merged layers. A disk that has changed since stays unchanged. */
const exchange = (
  entry: Entry,
  read: { readonly disk: number; readonly inodes: ReadonlyArray<string | undefined> },
  merged: MergedLayers
) =>
  Effect.gen(function*() {
    const record = yield* entry.record.now
    if (record.disk !== read.disk) return false
    const old = entry.folder.disk(record.disk)
    const now = yield* readWorkspaceDisk(old, virtualBytesOf(record))
    const inodes = yield* Effect.mapError(Effect.forEach(now.layers, inodeOf), toHostError)
    if (!read.inodes.every((inode, index) => inode !== undefined && inodes[index] === inode)) return false
    const next = record.disk + 1
    const folder = entry.folder.disk(next)
    yield* removeFolder(folder)
    yield* linkMerged(now, folder, merged).pipe(
      Effect.tap(Effect.sync(() => faultPoint("flatten:linked"))),
      Effect.andThen(entry.record.commit((known) => ({ ...known, disk: next }), { durable: true })),
      Effect.onError(() => discardFolder(folder))
    )
    faultPoint("flatten:committed")
    yield* replaceInVm(entry, now, { ...merged, file: `${folder}/${merged.from}.${formatOf(merged.file)}` })
    yield* discardFolder(old)
    return true
  })

/** A VM with the old layers open continues without loss. They are freed when it ends. */
const replaceInVm = (entry: Entry, { layers }: WorkspaceDisk, merged: MergedLayers) =>
  Effect.flatMap(
    entry.generation.now,
    Option.match({
      onNone: () => Effect.void,
      onSome: ({ guest: { vm: { disks } } }) =>
        Effect.flatMap(disks.layerCount, (count) =>
          count === layers.length + 1
            ? disks.replace(merged).pipe(Effect.interruptible, Effect.timeout(REPLACE_TIMEOUT), Effect.ignoreCause)
            : Effect.void)
    })
  )

/** Time without a command or a write until a workspace counts as idle, in ms. */
const QUIET_MS = 5_000
/** Delay before the retry of a failed merge, in ms: most fail because of a lack of memory or disk. */
const RETRY_MS = 10 * 60_000

const isIdle = (entry: Entry) =>
  Effect.gen(function*() {
    const { state } = yield* entry.state.now
    // Its next use comes at any moment, and a long chain makes that use slower.
    if (state === "paused") return true
    if (state !== "running" && state !== "stopped") return false
    if (yield* isBusy(entry)) return false
    return (yield* nowMs) - lastActivity(entry.folder, yield* entry.record.now).getTime() >= QUIET_MS
  })

/** Merges layers of idle and paused workspaces with long chains, one workspace after the other. Callers repeat it. */
export const makeFlattener = (lifecycle: Lifecycle) => {
  const retryAtMs = new Map<string, number>()
  const one = (entry: Entry) =>
    Effect.gen(function*() {
      if ((retryAtMs.get(entry.id) ?? 0) > (yield* monotonicMs) || !(yield* isIdle(entry))) return
      if (yield* flatten(entry, 0, alone(lifecycle, entry))) {
        yield* Effect.logInfo(`${entry.id}: layers of its disk are merged`)
      }
      retryAtMs.delete(entry.id)
    }).pipe(
      Effect.catch((failure) =>
        Effect.andThen(
          Effect.map(monotonicMs, (now) => retryAtMs.set(entry.id, now + RETRY_MS)),
          Effect.logDebug(`${entry.id}: layers of its disk stay as they are: ${failure.message}`)
        )
      )
    )
  return Effect.suspend(() => Effect.forEach([...lifecycle.registry.entries.values()], one, { discard: true }))
}
