import { Effect, Option, Ref } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { type ChannelFailed, VmFailed } from "../../contract/errors.ts"
import { SeedImages } from "../../disk/SeedImages.ts"
import { readWorkspaceDisk } from "../../disk/workspace-disk.ts"
import { Environments } from "../../environment/Environments.ts"
import { Kernel } from "../../environment/Kernel.ts"
import type { GuestChannel } from "../../guest-channel/GuestChannel.ts"
import { faultPoint } from "../../system/fault.ts"
import { Paths } from "../../system/Paths.ts"
import { heldBase } from "../../vm/template/base.ts"
import { workspaceTrees } from "../diff/baseline.ts"
import {
  aloneFor,
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
import { loseResidents } from "./entry-residents.ts"
import type { Entry } from "./entry.ts"
import { openGeneration } from "./generation.ts"
import { touch, type WorkspaceRecord } from "./record.ts"
import { demandMoving } from "./running.ts"

/** How long the guest may take to write out what it has in memory before it is ended, or captured, all the same. */
const syncTimeout = "30 seconds"

/** Has the guest write out what it has in memory. One that is slow with it, or cannot, is left at that; a silent one fails. */
export const flush = (channel: GuestChannel): Effect.Effect<void, ChannelFailed> =>
  channel.call.sync({ dropCaches: 0 }).pipe(
    Effect.interruptible,
    Effect.timeout(syncTimeout),
    Effect.catchAll((failure) =>
      failure._tag === "ChannelFailed" && failure.reason === "silent" ? Effect.fail(failure) : Effect.logDebug(failure)
    )
  )

/** Why what still ran in a workspace ended. */
export const stoppedBy = (what: string) =>
  new VmFailed({ step: what, detail: `the workspace's microVM was ended by a ${what}`, consoleTail: "" })

export const virtualBytesOf = ({ diskMib }: WorkspaceRecord) => diskMib * 1024 * 1024

/**
 * What the workspace's root is made of. Those of the cache while it still has the very same ones: the pool knows them; else the
 * workspace's own.
 */
export const imagesOf = (entry: Entry, record: WorkspaceRecord) =>
  Effect.gen(function*() {
    const held = yield* heldBase(entry.folder.base)
    const environments = yield* Environments
    const cached = yield* Effect.orElseSucceed(environments.resolve(record.environment.name), () => Option.none())
    if (Option.isNone(cached) || cached.value.digest !== held.environment.digest) return held
    // Nothing is built for a workspace that has its own.
    if (!fs.existsSync(path.join((yield* Paths).cacheDir, "kernels", "current.json"))) return held
    const kernel = yield* Effect.option(Effect.flatMap(Kernel, ({ ensure }) => ensure))
    return Option.isSome(kernel) && kernel.value.digest === held.kernel.digest
      ? { environment: cached.value, kernel: kernel.value }
      : held
  })

/** A VM on one of the workspace's disks; nothing of the workspace changes until the caller commits it. */
export const generationOn = (lifecycle: Lifecycle, entry: Entry, record: WorkspaceRecord, notify: Notify) =>
  Effect.gen(function*() {
    const from = yield* Effect.interruptible(Effect.all({
      images: imagesOf(entry, record),
      placeholder: Effect.flatMap(SeedImages, (seeds) => seeds.empty(record.diskMib)),
      disk: readWorkspaceDisk(entry.folder.disk(record.disk), virtualBytesOf(record))
    }))
    return yield* openGeneration(lifecycle.scope, {
      record,
      ...from,
      onTemplate: progress(notify, "preparing a template (once for this environment and size)", 0.5)
    })
  })

/** Ends the VM and keeps the disk. Of a workspace without a VM nothing is left to do. */
export const stop = (lifecycle: Lifecycle, entry: Entry) =>
  Effect.gen(function*() {
    yield* endUnattached(entry)
    // What a guest that stands still has in memory could not be written out: it goes on with it when there is room.
    const running = yield* Ref.get(entry.generation)
    if (Option.isSome(running)) yield* Effect.interruptible(demandMoving(entry, running.value))
    const current = yield* takeOut(entry)
    yield* Effect.gen(function*() {
      if (Option.isSome(current)) {
        const { channel } = current.value
        yield* Effect.catchAll(channel.unlessSilent(flush(channel)), (failure) =>
          Effect.logWarning(`${entry.id} is stopped with what its guest had not written out: ${failure.detail}`))
      }
      faultPoint("stop:synced")
      yield* commit(entry, ({ vm: _, ...record }) => ({ ...record, phase: "stopped" }))
    }).pipe(Effect.onError(() =>
      putBack(lifecycle, entry, current)
    ))
    faultPoint("stop:committed")
    if (Option.isSome(current)) yield* close(current.value)
    yield* loseResidents(entry, stoppedBy("stop"))
    yield* Ref.set(entry.state, { state: "stopped" })
  }).pipe(Effect.uninterruptible, during(entry, "stopping"), aloneFor(lifecycle, entry, "workspace.stop"))

/** A new VM on the kept disk; a running workspace stays as it is. */
export const start = (lifecycle: Lifecycle, entry: Entry, notify: Notify) =>
  Effect.gen(function*() {
    if (Option.isSome(yield* Ref.get(entry.generation))) return
    yield* Effect.gen(function*() {
      yield* endUnattached(entry)
      const record = yield* Ref.get(entry.record)
      const generation = yield* generationOn(lifecycle, entry, record, notify)
      // A VM that was killed in the middle of a patch or a push left what it had taken: any change puts that back.
      yield* generation.channel.changeFiles(workspaceTrees.live.root, []).pipe(
        Effect.interruptible,
        Effect.ignoreLogged
      )
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
  }).pipe(aloneFor(lifecycle, entry, "workspace.start"))
