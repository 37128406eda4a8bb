import { Effect, Ref } from "effect"
import { faultPoint } from "../../../system/waits/fault.ts"
import {
  discardFolder,
  type Lifecycle,
  type LifecycleServices,
  type Notify,
  removeFolder
} from "../../entry/context.ts"
import type { Entry } from "../../entry/entry.ts"
import type { WorkspaceRecord } from "../../entry/record.ts"
import { heldBase } from "../base.ts"
import type { OnUndo, Transition } from "../description.ts"
import { guestOn } from "../guest-on.ts"
import { onNextDisk } from "../reset.ts"
import { endedBy } from "../stop.ts"
import { tellWarnings } from "../tell-warnings.ts"
import { transit } from "../transition.ts"
import { findSnapshot, type Snapshot } from "./record.ts"
import { demandLoadable, goOn, makeDisk, reserve } from "./restore.ts"
import { seedOf } from "./take.ts"

/** Target snapshot of a reset. */
interface Target {
  readonly snapshot: Snapshot
  readonly diskOnly: boolean
}

/** A VM on the snapshot's disk: with its memory, or without. */
const buildFrom = (
  entry: Entry,
  next: WorkspaceRecord,
  { diskOnly, snapshot: { folder, record: { taken } } }: Target,
  notify: Notify,
  onUndo: OnUndo
) =>
  Effect.gen(function*() {
    const newDisk = entry.folder.disk(next.disk)
    yield* onUndo(discardFolder(newDisk))
    yield* removeFolder(newDisk)
    const { seed } = yield* Effect.uninterruptible(makeDisk(folder, taken, newDisk, next))
    faultPoint("reset-to:disk")
    if (diskOnly || taken.memory === undefined) return yield* guestOn(entry, next, notify)
    const images = yield* heldBase(entry.folder.base)
    const scope = yield* Effect.scope
    const [vm] = yield* reserve(taken.memory.spec, [{ record: next, images, seed, scope }])
    yield* vm!.fill(folder.frozen.memoryPath)
    return yield* goOn(vm!, folder.frozen.statePath, next, newDisk)
  })

/** A VM that continues from a snapshot, on its own disk. */
const returning = (
  entry: Entry,
  before: WorkspaceRecord,
  target: Target,
  notify: Notify
): Transition<LifecycleServices> => ({
  name: "reset-to",
  entry,
  shows: "resetting",
  build: (onUndo) => buildFrom(entry, onNextDisk(before), target, notify, onUndo),
  change: onNextDisk,
  lose: endedBy("reset"),
  rebase: target.snapshot,
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
    const before = yield* Ref.get(entry.record)
    if (!asked.diskOnly) {
      yield* demandLoadable(snapshot, yield* heldBase(entry.folder.base), seedOf(entry, before))
    }
    yield* transit(lifecycle, returning(entry, before, { snapshot, diskOnly: asked.diskOnly }, notify))
    yield* tellWarnings(entry, notify)
  })
