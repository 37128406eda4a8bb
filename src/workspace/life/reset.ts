import { Effect, Ref } from "effect"
import { linkSeed, makeWorkspaceDisk, readWorkspaceDisk } from "../../disk/workspace-disk.ts"
import { replayPushed } from "../../seeding/push.ts"
import { readPushed } from "../../seeding/pushed.ts"
import { faultPoint } from "../../system/waits/fault.ts"
import { discardFolder, type Lifecycle, type LifecycleServices, type Notify, removeFolder } from "../entry/context.ts"
import type { Entry, Generation } from "../entry/entry.ts"
import { virtualBytesOf, type WorkspaceRecord } from "../entry/record.ts"
import { workspaceTrees } from "./baseline.ts"
import type { Transition } from "./description.ts"
import { guestOn } from "./guest-on.ts"
import { endedBy } from "./stop.ts"
import { transit } from "./transition.ts"

/** The record with the next disk and the next VM. */
export const onNextDisk = (record: WorkspaceRecord): WorkspaceRecord => ({
  ...record,
  disk: record.disk + 1,
  generation: record.generation + 1
})

/** An empty disk on the seed of another one. A failed attempt may have left its folder. */
const newDiskLike = (oldDisk: string, newDisk: string, record: WorkspaceRecord) =>
  Effect.gen(function*() {
    yield* removeFolder(newDisk)
    const { seed } = yield* readWorkspaceDisk(oldDisk, virtualBytesOf(record))
    yield* linkSeed(newDisk, seed.path)
    yield* makeWorkspaceDisk(newDisk, seed.virtualBytes)
    faultPoint("reset:disk")
  })

/** Files that were pushed since the creation are part of the baseline. */
const replay = (entry: Entry, { channel }: Generation) =>
  Effect.flatMap(
    entry.pushedLock.withPermits(1)(readPushed(entry.folder.directory)),
    (pushed) => Effect.interruptible(replayPushed(channel, pushed, workspaceTrees.live))
  )

/** A new VM on a new disk on the same seed. */
const resetting = (entry: Entry, before: WorkspaceRecord, notify: Notify): Transition<LifecycleServices> => {
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
    rebase: "baseline",
    oldDisk
  }
}

/** Brings a workspace back to the state right after its creation. Its caller has the workspace alone. */
export const reset = (lifecycle: Lifecycle, entry: Entry, notify: Notify) =>
  Effect.flatMap(Ref.get(entry.record), (before) => transit(lifecycle, resetting(entry, before, notify)))
