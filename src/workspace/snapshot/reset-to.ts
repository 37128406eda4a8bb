import { Effect, Ref } from "effect"
import { faultPoint } from "../../system/fault.ts"
import { nowMs } from "../../system/time.ts"
import { heldBase } from "../../vm/template/base.ts"
import { recordEvent } from "../events.ts"
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
} from "../lifecycle/context.ts"
import { residentsOf } from "../lifecycle/entry-residents.ts"
import type { Entry } from "../lifecycle/entry.ts"
import { touch } from "../lifecycle/record.ts"
import { generationOn, stoppedBy } from "../lifecycle/steps.ts"
import type { Residents } from "../residents/list.ts"
import { copyPushed } from "../seed/pushed.ts"
import { findSnapshot, type Snapshot } from "./record.ts"
import { demandLoadable, fill, goOn, makeDisk, release, reserve } from "./restore.ts"
import { seedOf } from "./take.ts"

/** Back to a snapshot: its memory and its disk, or a fresh microVM on its disk, under the same id and name. */
export const resetTo = (
  lifecycle: Lifecycle,
  entry: Entry,
  asked: { readonly snapshot: string; readonly diskOnly: boolean },
  notify: Notify
) =>
  Effect.gen(function*() {
    const snapshot = yield* findSnapshot(entry, asked.snapshot)
    const { folder, record: { taken } } = snapshot
    const before = yield* Ref.get(entry.record)
    const next = { ...before, disk: before.disk + 1, generation: before.generation + 1 }
    const [oldDisk, newDisk] = [entry.folder.disk(before.disk), entry.folder.disk(next.disk)]
    const images = yield* heldBase(entry.folder.base)
    const memory = asked.diskOnly ? undefined : taken.memory
    if (memory !== undefined) yield* demandLoadable(snapshot, images, seedOf(entry, before))
    yield* endUnattached(entry)
    const generation = yield* Effect.gen(function*() {
      yield* removeFolder(newDisk)
      const { seed } = yield* makeDisk(folder, taken, newDisk, next)
      faultPoint("reset-to:disk")
      if (memory === undefined) return yield* generationOn(lifecycle, entry, next, notify)
      const [reserved] = yield* reserve(lifecycle, memory.spec, [{ record: next, images, seed }])
      return yield* fill(reserved!, folder.frozen.memoryPath).pipe(
        Effect.zipRight(goOn(reserved!, folder.frozen.statePath, next, newDisk)),
        Effect.interruptible,
        Effect.onError(() => release([reserved!]))
      )
    }).pipe(Effect.onError(() => removeFolder(newDisk)))
    faultPoint("reset-to:started")
    const old = yield* takeOut(entry)
    yield* commit(entry, (now) => ({
      ...now,
      disk: next.disk,
      generation: next.generation,
      phase: "running",
      vm: generation.guest.vm.id,
      staleResidents: true,
      restoredFrom: asked.snapshot
    })).pipe(
      Effect.onError(() => Effect.all([putBack(lifecycle, entry, old), close(generation), removeFolder(newDisk)]))
    )
    faultPoint("reset-to:committed")
    const residents = yield* residentsOf(entry, "workspace.reset")
    yield* residents.lose(stoppedBy("reset"))
    yield* takeOverResidents(entry, residents, snapshot)
    // Those that are not there, because nothing of the memory is, are forgotten again.
    const { channel, scope } = generation
    yield* Effect.ignoreLogged(residents.adopt({ channel, scope }, (yield* Ref.get(entry.record)).residents))
    faultPoint("reset-to:cleared")
    yield* touch(entry.folder)
    yield* install(lifecycle, entry, generation)
    yield* leaveBehind(entry, old, oldDisk)
  }).pipe(Effect.uninterruptible, during(entry, "resetting"), aloneFor(lifecycle, entry, "workspace.reset"))

/**
 * Gives the workspace the residents of a snapshot in place of its own, and the baseline what had been pushed by then. After a crash it is
 * done once more, which does no harm; never fails, since the workspace is the snapshot's already.
 */
export const takeOverResidents = (entry: Entry, residents: Residents, { folder, record: { name, taken } }: Snapshot) =>
  residents.clear.pipe(
    Effect.zipRight(
      Effect.flatMap(
        nowMs,
        (now) => residents.inherit(taken.residents, { folder: folder.logs, sinceMs: now - taken.takenAtMs })
      )
    ),
    Effect.zipRight(entry.pushed.withPermits(1)(copyPushed(folder.directory, entry.folder.directory))),
    Effect.zipRight(recordEvent(entry.folder.directory, { _tag: "reset", snapshot: name })),
    Effect.zipRight(
      commit(entry, ({ restoredFrom: _, staleResidents: _stale, ...now }) => now, { durable: false })
    ),
    Effect.ignoreLogged
  )
