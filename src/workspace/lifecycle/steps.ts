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
import { close, commit, during, install, type Lifecycle, type Notify, progress, takeOut } from "./context.ts"
import { forget } from "./create.ts"
import { openGeneration } from "./generation.ts"
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
    const images = yield* imagesOf(entry, record)
    const placeholder = yield* Effect.flatMap(SeedImages, (seeds) => seeds.empty(record.diskMib))
    const disk = yield* readWorkspaceDisk(entry.folder.disk(record.disk), virtualBytesOf(record))
    return yield* openGeneration(lifecycle.scope, {
      record,
      images,
      disk,
      placeholder,
      onTemplate: progress(notify, "preparing a template (once)", 0.5)
    })
  })

/** Ends the VM and keeps the disk. Of a workspace without a VM nothing is left to do. */
export const stop = (_lifecycle: Lifecycle, entry: Entry) =>
  Effect.gen(function*() {
    const current = yield* takeOut(entry)
    if (Option.isSome(current)) {
      yield* current.value.channel.call.sync({ dropCaches: 0 }).pipe(
        Effect.interruptible,
        Effect.timeout(syncTimeout),
        Effect.ignoreLogged
      )
    }
    faultPoint("stop:synced")
    yield* commit(entry, ({ vm: _, ...record }) => ({ ...record, phase: "stopped" }))
    faultPoint("stop:committed")
    if (Option.isSome(current)) yield* close(current.value)
    const commands = yield* commandsOf(entry)
    yield* commands.loseAll(stoppedBy("stop"))
    yield* Ref.set(entry.state, { state: "stopped" })
  }).pipe(Effect.uninterruptible, during(entry, "stopping"), entry.one.withPermits(1))

/** A new VM on the kept disk; a running workspace stays as it is. */
export const start = (lifecycle: Lifecycle, entry: Entry, notify: Notify) =>
  Effect.gen(function*() {
    if (Option.isSome(yield* Ref.get(entry.generation))) return
    yield* Effect.gen(function*() {
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
    }).pipe(during(entry, "starting"))
  }).pipe(entry.one.withPermits(1))

/**
 * Back to the state right after creation: a new disk on the same seed and a new VM on it, which take the place of the old ones in one
 * step; those are removed behind the caller's back.
 */
export const reset = (lifecycle: Lifecycle, entry: Entry, notify: Notify) =>
  Effect.gen(function*() {
    const before = yield* Ref.get(entry.record)
    const next = { ...before, disk: before.disk + 1, generation: before.generation + 1 }
    const [oldDisk, newDisk] = [entry.folder.disk(before.disk), entry.folder.disk(next.disk)]
    const generation = yield* Effect.gen(function*() {
      const { seed } = yield* readWorkspaceDisk(oldDisk, virtualBytesOf(before))
      yield* holdSeed(newDisk, seed.path)
      yield* makeWorkspaceDisk(newDisk, seed.virtualBytes)
      faultPoint("reset:disk")
      return yield* generationOn(lifecycle, entry, next, notify)
    }).pipe(Effect.onError(() => removeFolder(newDisk)))
    faultPoint("reset:started")
    yield* Effect.gen(function*() {
      const old = yield* takeOut(entry)
      yield* commit(entry, (now) => ({ ...now, ...next, phase: "running", vm: generation.guest.vm.id })).pipe(
        Effect.onError(() => Effect.zipRight(Ref.set(entry.generation, old), close(generation)))
      )
      faultPoint("reset:committed")
      const commands = yield* commandsOf(entry)
      yield* commands.loseAll(stoppedBy("reset"))
      yield* commands.clear
      yield* touch(entry.folder)
      yield* install(lifecycle, entry, generation)
      const leftovers = Option.match(old, { onNone: () => Effect.void, onSome: close })
      yield* Effect.forkIn(Effect.zipRight(leftovers, removeFolder(oldDisk)), lifecycle.scope)
    }).pipe(Effect.uninterruptible)
  }).pipe(during(entry, "resetting"), entry.one.withPermits(1))

const removeFolder = (folder: string) => Effect.promise(() => fs.promises.rm(folder, { recursive: true, force: true }))

/** Removes the workspace and everything in it. */
export const remove = (lifecycle: Lifecycle, entry: Entry) =>
  Effect.gen(function*() {
    yield* commit(entry, ({ vm: _, ...record }) => ({ ...record, phase: "deleting" }))
    yield* Ref.set(entry.state, { state: "deleting" })
    faultPoint("delete:announced")
    const current = yield* takeOut(entry)
    if (Option.isSome(current)) yield* close(current.value)
    const commands = yield* Ref.get(entry.commands)
    if (Option.isSome(commands)) yield* commands.value.loseAll(stoppedBy("delete"))
    faultPoint("delete:ended")
    yield* forget(lifecycle, entry)
  }).pipe(Effect.uninterruptible, entry.one.withPermits(1))

/** Folders of disks that no record names: a crash came between their making and their naming. */
export const removeLeftoverDisks = (entry: Entry) =>
  Effect.gen(function*() {
    const { disk } = yield* Ref.get(entry.record)
    const { directory } = entry.folder
    const leftovers = fs.readdirSync(directory).filter((name) => /^disk-\d+$/.test(name) && name !== `disk-${disk}`)
    yield* Effect.forEach(leftovers, (name) => removeFolder(path.join(directory, name)), { discard: true })
  })
