import { Effect, Option, Ref } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { VmFailed } from "../../contract/errors.ts"
import { SeedImages } from "../../disk/SeedImages.ts"
import { holdSeed, makeWorkspaceDisk, readWorkspaceDisk } from "../../disk/workspace-disk.ts"
import { Environments } from "../../environment/Environments.ts"
import { Kernel } from "../../environment/Kernel.ts"
import { faultPoint } from "../../system/fault.ts"
import { heldBase } from "../../vm/base.ts"
import { workspaceTrees } from "../diff/baseline.ts"
import { recordEvent } from "../events.ts"
import type { Commands } from "../exec/commands.ts"
import { readPushed } from "../seed/pushed.ts"
import { replayPushed } from "../seed/replay.ts"
import {
  alone,
  close,
  commit,
  during,
  endUnattached,
  install,
  type Lifecycle,
  type Notify,
  progress,
  putBack,
  takeOut
} from "./context.ts"
import { forget } from "./create.ts"
import { type Generation, openGeneration } from "./generation.ts"
import type { WorkspaceRecord } from "./record.ts"
import { touch } from "./record.ts"
import { commandsOf, type Entry } from "./registry.ts"

/** How long the guest may take to write out what it has in memory before it is ended all the same. */
const syncTimeout = "20 seconds"

const stoppedBy = (what: string) =>
  new VmFailed({ step: what, detail: `the workspace's microVM was ended by a ${what}`, consoleTail: "" })

const virtualBytesOf = ({ diskMib }: WorkspaceRecord) => diskMib * 1024 * 1024

/**
 * What the workspace's root is made of. Those of the cache while it still has the very same ones: the pool knows them; else the
 * workspace's own.
 */
const imagesOf = (entry: Entry, record: WorkspaceRecord) =>
  Effect.gen(function*() {
    const held = yield* heldBase(entry.folder.base)
    const environments = yield* Environments
    const cached = yield* Effect.orElseSucceed(environments.resolve(record.environment.name), () => Option.none())
    if (Option.isNone(cached) || cached.value.digest !== held.environment.digest) return held
    const kernel = yield* Effect.option(Effect.flatMap(Kernel, ({ ensure }) => ensure))
    return Option.isSome(kernel) && kernel.value.digest === held.kernel.digest
      ? { environment: cached.value, kernel: kernel.value }
      : held
  })

/** A VM on one of the workspace's disks; nothing of the workspace changes until the caller commits it. */
const generationOn = (lifecycle: Lifecycle, entry: Entry, record: WorkspaceRecord, notify: Notify) =>
  Effect.gen(function*() {
    const from = yield* Effect.interruptible(Effect.all({
      images: imagesOf(entry, record),
      placeholder: Effect.flatMap(SeedImages, (seeds) => seeds.empty(record.diskMib)),
      disk: readWorkspaceDisk(entry.folder.disk(record.disk), virtualBytesOf(record))
    }))
    return yield* openGeneration(lifecycle.scope, {
      record,
      ...from,
      onTemplate: progress(notify, "preparing a template (once)", 0.5)
    })
  })

/** Ends the VM and keeps the disk. Of a workspace without a VM nothing is left to do. */
export const stop = (lifecycle: Lifecycle, entry: Entry) =>
  Effect.gen(function*() {
    yield* endUnattached(entry)
    const current = yield* takeOut(entry)
    yield* Effect.gen(function*() {
      if (Option.isSome(current)) {
        yield* current.value.channel.call.sync({ dropCaches: 0 }).pipe(
          Effect.interruptible,
          Effect.timeout(syncTimeout),
          Effect.ignoreLogged
        )
      }
      faultPoint("stop:synced")
      yield* commit(entry, ({ vm: _, ...record }) => ({ ...record, phase: "stopped" }))
    }).pipe(Effect.onError(() => putBack(lifecycle, entry, current)))
    faultPoint("stop:committed")
    if (Option.isSome(current)) yield* close(current.value)
    const commands = yield* commandsOf(entry)
    yield* commands.loseAll(stoppedBy("stop"))
    yield* Ref.set(entry.state, { state: "stopped" })
  }).pipe(Effect.uninterruptible, during(entry, "stopping"), alone(lifecycle, entry))

/** A new VM on the kept disk; a running workspace stays as it is. */
export const start = (lifecycle: Lifecycle, entry: Entry, notify: Notify) =>
  Effect.gen(function*() {
    if (Option.isSome(yield* Ref.get(entry.generation))) return
    yield* Effect.gen(function*() {
      yield* endUnattached(entry)
      const record = yield* Ref.get(entry.record)
      const generation = yield* generationOn(lifecycle, entry, record, notify)
      faultPoint("start:started")
      yield* commit(entry, (now) => ({
        ...now,
        phase: "running",
        vm: generation.guest.vm.id,
        generation: now.generation + 1
      })).pipe(Effect.onError(() => close(generation)))
      faultPoint("start:committed")
      yield* touch(entry.folder)
      yield* install(lifecycle, entry, generation)
    }).pipe(Effect.uninterruptible, during(entry, "starting"))
  }).pipe(alone(lifecycle, entry))

/** A new, empty disk on the seed of another. What an attempt that failed left there goes. */
const newDiskLike = (oldDisk: string, newDisk: string, record: WorkspaceRecord) =>
  Effect.gen(function*() {
    yield* removeFolder(newDisk)
    const { seed } = yield* readWorkspaceDisk(oldDisk, virtualBytesOf(record))
    yield* holdSeed(newDisk, seed.path)
    yield* makeWorkspaceDisk(newDisk, seed.virtualBytes)
    faultPoint("reset:disk")
  })

/**
 * Back to the state right after creation: a new disk on the same seed and a new VM on it, which take the place of the old ones in one
 * step; those are removed behind the caller's back.
 */
export const reset = (lifecycle: Lifecycle, entry: Entry, notify: Notify) =>
  Effect.gen(function*() {
    const before = yield* Ref.get(entry.record)
    const next = { ...before, disk: before.disk + 1, generation: before.generation + 1 }
    const [oldDisk, newDisk] = [entry.folder.disk(before.disk), entry.folder.disk(next.disk)]
    yield* endUnattached(entry)
    const generation = yield* Effect.interruptible(newDiskLike(oldDisk, newDisk, before)).pipe(
      Effect.zipRight(generationOn(lifecycle, entry, next, notify)),
      Effect.onError(() => removeFolder(newDisk))
    )
    faultPoint("reset:started")
    const old = yield* takeOut(entry)
    yield* Effect.zipRight(
      replay(entry, generation),
      commit(entry, (now) => ({
        ...now,
        disk: next.disk,
        generation: next.generation,
        phase: "running",
        vm: generation.guest.vm.id,
        staleCommands: true
      }))
    ).pipe(
      Effect.onError(() => Effect.all([putBack(lifecycle, entry, old), close(generation), removeFolder(newDisk)]))
    )
    faultPoint("reset:committed")
    const commands = yield* commandsOf(entry)
    yield* commands.loseAll(stoppedBy("reset"))
    yield* forgetCommands(entry, commands)
    faultPoint("reset:cleared")
    yield* touch(entry.folder)
    yield* install(lifecycle, entry, generation)
    const leftovers = Option.match(old, { onNone: () => Effect.void, onSome: close })
    // What is not removed before this process ends is removed by the next.
    yield* Effect.zipRight(leftovers, Effect.interruptible(removeFolder(oldDisk))).pipe(Effect.forkIn(lifecycle.scope))
  }).pipe(Effect.uninterruptible, during(entry, "resetting"), alone(lifecycle, entry))

/** Gives a new generation what was pushed since the workspace was made: that is of its beginning too. */
const replay = (entry: Entry, { channel }: Generation) =>
  Effect.flatMap(
    entry.pushed.withPermits(1)(readPushed(entry.folder.directory)),
    (pushed) => Effect.interruptible(replayPushed(channel, pushed, workspaceTrees.live))
  )

/** Empties the journal for a new disk, and says that it is done. After a crash it is done once more, which does no harm. */
export const forgetCommands = (entry: Entry, commands: Commands) =>
  commands.clear.pipe(
    Effect.zipRight(recordEvent(entry.folder.directory, { _tag: "reset" })),
    Effect.zipRight(Effect.ignoreLogged(commit(entry, ({ staleCommands: _, ...now }) => now, { durable: false })))
  )

const removeFolder = (folder: string) => Effect.promise(() => fs.promises.rm(folder, { recursive: true, force: true }))

/** Removes the workspace and everything in it; on a full disk too. */
export const removeAlone = (lifecycle: Lifecycle, entry: Entry) =>
  Effect.gen(function*() {
    yield* commit(entry, (record) => ({ ...record, phase: "deleting" })).pipe(
      // A folder without a record is removed after a crash just as well.
      Effect.catchAll(() => Effect.sync(() => fs.rmSync(entry.folder.record, { force: true })))
    )
    yield* Ref.set(entry.state, { state: "deleting" })
    faultPoint("delete:announced")
    yield* endUnattached(entry)
    const current = yield* takeOut(entry)
    if (Option.isSome(current)) yield* close(current.value)
    const commands = yield* Ref.get(entry.commands)
    if (Option.isSome(commands)) yield* commands.value.loseAll(stoppedBy("delete"))
    faultPoint("delete:ended")
    yield* forget(lifecycle, entry)
  }).pipe(Effect.uninterruptible)

export const remove = (lifecycle: Lifecycle, entry: Entry) =>
  removeAlone(lifecycle, entry).pipe(alone(lifecycle, entry))

/** Folders of disks that no record names: a crash came between their making and their naming. */
export const removeLeftoverDisks = (entry: Entry) =>
  Effect.gen(function*() {
    const { disk } = yield* Ref.get(entry.record)
    const { directory } = entry.folder
    const leftovers = fs.readdirSync(directory).filter((name) => /^disk-\d+$/.test(name) && name !== `disk-${disk}`)
    yield* Effect.forEach(leftovers, (name) => removeFolder(path.join(directory, name)), { discard: true })
  })
