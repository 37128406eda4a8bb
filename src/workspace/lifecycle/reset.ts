import { Effect, Ref } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { holdSeed, makeWorkspaceDisk, readWorkspaceDisk } from "../../disk/workspace-disk.ts"
import { faultPoint } from "../../system/fault.ts"
import { workspaceTrees } from "../diff/baseline.ts"
import { recordEvent } from "../events.ts"
import type { Residents } from "../residents/list.ts"
import { readPushed } from "../seed/pushed.ts"
import { replayPushed } from "../seed/replay.ts"
import {
  aloneFor,
  close,
  commit,
  during,
  endUnattached,
  install,
  leaveBehind,
  type Lifecycle,
  type Notify,
  putBack,
  removeFolder,
  takeOut
} from "./context.ts"
import { residentsOf } from "./entry-residents.ts"
import type { Entry } from "./entry.ts"
import type { Generation } from "./generation.ts"
import { touch, type WorkspaceRecord } from "./record.ts"
import { generationOn, stoppedBy, virtualBytesOf } from "./steps.ts"

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
      commit(entry, ({ restoredFrom: _, ...now }) => ({
        ...now,
        disk: next.disk,
        generation: next.generation,
        phase: "running",
        vm: generation.guest.vm.id,
        staleResidents: true
      }))
    ).pipe(
      Effect.onError(() => Effect.all([putBack(lifecycle, entry, old), close(generation), removeFolder(newDisk)]))
    )
    faultPoint("reset:committed")
    const residents = yield* residentsOf(entry, "workspace.reset")
    yield* residents.lose(stoppedBy("reset"))
    yield* forgetResidents(entry, residents)
    faultPoint("reset:cleared")
    yield* touch(entry.folder)
    yield* install(lifecycle, entry, generation)
    yield* leaveBehind(entry, old, oldDisk)
  }).pipe(Effect.uninterruptible, during(entry, "resetting"), aloneFor(lifecycle, entry, "workspace.reset"))

/** Gives a new generation what was pushed since the workspace was made: that is of its beginning too. */
const replay = (entry: Entry, { channel }: Generation) =>
  Effect.flatMap(
    entry.pushed.withPermits(1)(readPushed(entry.folder.directory)),
    (pushed) => Effect.interruptible(replayPushed(channel, pushed, workspaceTrees.live))
  )

/**
 * Clears the residents for a new disk, and says that it is done. After a crash it is done once more, which does no harm. Never fails: a
 * resident that cannot be cleared is cleared by the next process.
 */
export const forgetResidents = (entry: Entry, residents: Residents) =>
  residents.clear.pipe(
    Effect.zipRight(recordEvent(entry.folder.directory, { _tag: "reset" })),
    Effect.zipRight(
      commit(entry, ({ restoredFrom: _, staleResidents: _stale, ...now }) => now, { durable: false })
    ),
    Effect.ignoreLogged
  )

/** Folders of disks that no record names: a crash came between their making and their naming. */
export const removeLeftoverDisks = (entry: Entry) =>
  Effect.gen(function*() {
    const { disk } = yield* Ref.get(entry.record)
    const { directory } = entry.folder
    const leftovers = fs.readdirSync(directory).filter((name) => /^disk-\d+$/.test(name) && name !== `disk-${disk}`)
    yield* Effect.forEach(leftovers, (name) => removeFolder(path.join(directory, name)), { discard: true })
  })
