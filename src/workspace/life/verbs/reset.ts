import { Effect } from "effect"
import { linkSeed, makeWorkspaceDisk, readWorkspaceDisk } from "../../../lib/disk/workspace-disk.ts"
import { readPushed } from "../../../lib/seeding/model/pushed.ts"
import { replayPushed } from "../../../lib/seeding/push.ts"
import { faultPoint } from "../../../system/waits/fault.ts"
import { discardFolder, type Lifecycle, type Notify, removeFolder } from "../../entry/context.ts"
import type { Generation } from "../../entry/current-generation.ts"
import type { Entry } from "../../entry/entry.ts"
import { virtualBytesOf, type WorkspaceRecord } from "../../entry/record.ts"
import type { Transition } from "../engine/description.ts"
import { endedBy } from "../engine/ended.ts"
import { Rebase, rebaseTo } from "../engine/rebase.ts"
import { transit } from "../engine/transition.ts"
import { linkedBase } from "../guest/base.ts"
import { workspaceTrees } from "../guest/baseline.ts"
import { layerFormatOf } from "../guest/driver.ts"
import { guestOn, type GuestServices } from "../guest/generation.ts"
import { reportWarnings } from "../guest/notices.ts"
import { findSnapshot, type Snapshot } from "../records/snapshot.ts"
import { seedOf } from "../snapshot/capture.ts"
import { buildFrom, demandLoadable, type MemoryServices, onNextDisk } from "../snapshot/restore.ts"

/** An empty disk on the seed of another one. A failed attempt may have left its folder. */
const newDiskLike = (oldDisk: string, newDisk: string, record: WorkspaceRecord) =>
  Effect.gen(function*() {
    yield* removeFolder(newDisk)
    const { seed } = yield* readWorkspaceDisk(oldDisk, virtualBytesOf(record))
    yield* linkSeed(newDisk, seed.path)
    yield* makeWorkspaceDisk(newDisk, seed.virtualBytes, layerFormatOf(record))
    faultPoint("reset:disk")
  })

/** Files that were pushed since the creation are part of the baseline. */
const replay = (entry: Entry, { channel }: Generation) =>
  Effect.flatMap(
    entry.pushedLock.hold(readPushed(entry.folder.directory)),
    (pushed) => Effect.interruptible(replayPushed(channel, pushed, workspaceTrees.live))
  )

/** A new VM on a new disk on the same seed. */
const resetting = (
  entry: Entry,
  before: WorkspaceRecord,
  notify: Notify
): Transition<GuestServices, Effect.Error<ReturnType<typeof guestOn | typeof newDiskLike | typeof replay>>> => {
  const next = onNextDisk(before)
  const [oldDisk, newDisk] = [entry.folder.disk(before.disk), entry.folder.disk(next.disk)]
  return {
    name: "reset",
    entry,
    shows: "resetting",
    build: (onUndo) =>
      onUndo(discardFolder(newDisk)).pipe(
        Effect.andThen(newDiskLike(oldDisk, newDisk, before)),
        Effect.andThen(guestOn(entry, next, notify))
      ),
    // After this step, a push to the old VM records nothing.
    handOver: ({ next }) => next === undefined ? Effect.void : replay(entry, next),
    change: onNextDisk,
    lose: endedBy("reset"),
    rebase: Rebase.Baseline(),
    oldDisk
  }
}

/** Brings a workspace back to the state right after its creation. Its caller has the workspace alone. */
export const reset = (lifecycle: Lifecycle, entry: Entry, notify: Notify) =>
  Effect.flatMap(entry.record.now, (before) => transit(lifecycle, resetting(entry, before, notify)))

/** Target snapshot of a reset. */
interface Target {
  readonly snapshot: Snapshot
  readonly diskOnly: boolean
}

/** A VM that continues from a snapshot, on its own disk. */
const returning = (
  entry: Entry,
  before: WorkspaceRecord,
  target: Target,
  notify: Notify
): Transition<GuestServices | MemoryServices, Effect.Error<ReturnType<typeof buildFrom>>> => ({
  name: "reset-to",
  entry,
  shows: "resetting",
  build: (onUndo) => {
    const { diskOnly, snapshot: { folder, record: { captured } } } = target
    const source = { folder, captured, diskOnly, onDisk: () => faultPoint("reset-to:disk") }
    return buildFrom(entry, onNextDisk(before), source, notify, onUndo)
  },
  change: onNextDisk,
  lose: endedBy("reset"),
  rebase: rebaseTo(target.snapshot),
  adopts: true,
  oldDisk: entry.folder.disk(before.disk)
})

/** Brings a workspace back to a snapshot, under the same id and name. Its caller has the workspace alone. */
export const resetTo = (
  lifecycle: Lifecycle,
  entry: Entry,
  asked: { readonly snapshot: string; readonly diskOnly: boolean },
  notify: Notify
) =>
  Effect.gen(function*() {
    const snapshot = yield* findSnapshot(entry, asked.snapshot)
    const before = yield* entry.record.now
    if (!asked.diskOnly) {
      yield* demandLoadable(snapshot, yield* linkedBase(entry.folder.base), seedOf(entry, before))
    }
    yield* transit(lifecycle, returning(entry, before, { snapshot, diskOnly: asked.diskOnly }, notify))
    yield* reportWarnings(entry, notify)
  })
