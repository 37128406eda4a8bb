import { Effect, Option, Ref } from "effect"
import { faultPoint } from "../../../system/waits/fault.ts"
import { nowMs } from "../../../system/waits/time.ts"
import {
  discardFolder,
  type Lifecycle,
  type LifecycleServices,
  type Notify,
  removeFolder
} from "../../entry/context.ts"
import type { Entry } from "../../entry/entry.ts"
import { forgetPointMarks } from "../../entry/point-marks.ts"
import type { Span, WorkspaceRecord } from "../../entry/record.ts"
import { residentsOf } from "../../residents/entry-residents.ts"
import type { JournaledCommand } from "../../residents/exec/journal.ts"
import type { Transition } from "../description.ts"
import { endedBy } from "../ended-by.ts"
import { guestOn } from "../generation.ts"
import { reportWarnings } from "../notices.ts"
import { onNextDisk } from "../reset.ts"
import { makeDisk } from "../snapshot/restore.ts"
import { transit } from "../transition.ts"
import { findPoint, type Wanted } from "./choose.ts"
import { isUndone, undoneAfter } from "./lineage.ts"
import { newPointId, type Point } from "./record.ts"
import { keepPoint, takePoint } from "./take.ts"

/** A VM on the disk of a point. */
const rewinding = (
  entry: Entry,
  before: WorkspaceRecord,
  rebase: { readonly point: Point; readonly undone: ReadonlyArray<Span> },
  notify: Notify
): Transition<LifecycleServices> => {
  const next = onNextDisk(before)
  const newDisk = entry.folder.disk(next.disk)
  const { folder, record: { captured } } = rebase.point
  return {
    name: "rewind",
    entry,
    shows: "resetting",
    build: (onUndo) =>
      Effect.gen(function*() {
        yield* onUndo(discardFolder(newDisk))
        yield* removeFolder(newDisk)
        yield* Effect.uninterruptible(makeDisk(folder, captured, newDisk, next))
        faultPoint("rewind:disk")
        return yield* guestOn(entry, next, notify)
      }),
    change: onNextDisk,
    lose: endedBy("rewind"),
    rebase,
    adopts: true,
    oldDisk: entry.folder.disk(before.disk)
  }
}

/** What a rewind did. */
export interface Rewound {
  readonly point: Point
  /** The point of the state before the rewind. */
  readonly redo: Point
  /** Commands that it has undone, oldest first. */
  readonly undone: ReadonlyArray<JournaledCommand>
}

/** Brings the disk of a workspace back to a point. The state before is a point, too. Its caller has the workspace alone. */
export const rewind = (lifecycle: Lifecycle, entry: Entry, wanted: Wanted, notify: Notify) =>
  Effect.gen(function*() {
    const { commands: { journal } } = yield* residentsOf(entry, "workspace.rewind")
    const { from, point } = yield* findPoint(entry, wanted)
    const { folder, record: { captured, id } } = point
    const before = yield* Ref.get(entry.record)
    const redo = Option.getOrThrow(
      yield* takePoint(entry, { always: true, kept: [id] }).pipe(entry.pushLock.withPermits(1))
    )
    const total = journal.execs.length
    const undone = undoneAfter(point.record, from, total)
    // The state after the rewind is a point without a copy: that of the point, behind the same commands.
    yield* keepPoint(
      entry,
      {
        ...point.record,
        id: newPointId(),
        number: redo.record.number + 1,
        commands: total,
        unchanged: 0,
        running: [],
        undone,
        writtenBytes: 0,
        captured: { ...captured, takenAtMs: yield* nowMs }
      },
      folder.disk,
      folder.directory
    )
    yield* transit(lifecycle, rewinding(entry, before, { point, undone }, notify))
    forgetPointMarks(entry)
    yield* reportWarnings(entry, notify)
    const was = before.undone ?? []
    return {
      point,
      redo,
      undone: journal.execs.filter((_, place) => place >= from && place < total && !isUndone(was, place))
    } satisfies Rewound
  })
