import { Effect, Option, Ref } from "effect"
import { deadlineScale } from "../../../system/settings/deadline-scale.ts"
import { faultPoint } from "../../../system/waits/fault.ts"
import { nowMs } from "../../../system/waits/time.ts"
import type { Lifecycle, LifecycleServices, Notify } from "../../entry/context.ts"
import type { Entry } from "../../entry/entry.ts"
import { markReturned } from "../../entry/point-marks.ts"
import type { WorkspaceRecord } from "../../entry/record.ts"
import type { JournaledCommand } from "../../residents/exec/journal.ts"
import { residentsOf } from "../../residents/open/entry-residents.ts"
import type { Transition } from "../engine/description.ts"
import { endedBy } from "../engine/ended-by.ts"
import { transit } from "../engine/transition.ts"
import { reportWarnings } from "../guest/notices.ts"
import { changedNothing, findPoint, type Wanted } from "../points/choose.ts"
import { isUndone, undoneAfter } from "../points/lineage.ts"
import { loadable } from "../points/loadable.ts"
import { keepReturned } from "../points/returned.ts"
import { takePoint } from "../points/take.ts"
import { writersSince } from "../points/writers.ts"
import { lastSeenOf, type Point, readPoints } from "../records/point.ts"
import { expectReturn } from "./expect.ts"
import { buildFrom, onNextDisk } from "./reset.ts"

/** A VM with the state of a point. */
const rewinding = (
  entry: Entry,
  before: WorkspaceRecord,
  { folder, record: { captured } }: Point,
  rebasing: NonNullable<Transition<LifecycleServices>["rebasing"]>,
  notify: Notify
): Transition<LifecycleServices> => {
  const source = { folder, captured, diskOnly: false, onDisk: () => faultPoint("rewind:disk") }
  return {
    name: "rewind",
    entry,
    shows: "resetting",
    build: (onUndo) => buildFrom(entry, onNextDisk(before), source, notify, onUndo),
    change: onNextDisk,
    lose: endedBy("rewind"),
    rebasing,
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
  /** Ids of those commands of the history that had changed nothing. */
  readonly looks: ReadonlySet<string>
  /** Commands, shells and runs of services that ended with the old VM, oldest first. */
  readonly ended: ReadonlyArray<JournaledCommand>
  /** Whether the memory of the point came back. */
  readonly memory: boolean
  /** Other programs that may have written since the workspace was as the point has it, and that time, in ms since 1970. */
  readonly written: { readonly by: ReadonlyArray<string>; readonly sinceMs: number }
}

/** Longest wait for a guest to write its caches, for the look whether the last commands have changed anything. */
const LOOK_LIMIT_MS = 1_000 * deadlineScale

/** Finds out which of the last commands have changed nothing, if nobody has looked since. Without an answer they count as changes. */
const lookBack = (entry: Entry) =>
  Effect.flatMap(Ref.get(entry.state), ({ state }) =>
    state === "running"
      ? Effect.ignore(
        entry.pushLock.withPermits(1)(takePoint(entry, { onlyLook: true, flushLimit: LOOK_LIMIT_MS }))
      )
      : Effect.void)

/** Brings a workspace back to a point. The state before is a point, too. Its caller has the workspace alone. */
export const rewind = (lifecycle: Lifecycle, entry: Entry, wanted: Wanted, notify: Notify) =>
  Effect.gen(function*() {
    const residents = yield* residentsOf(entry, "workspace.rewind")
    const { commands: { journal }, services } = residents
    if ("steps" in wanted) yield* lookBack(entry)
    const { from, point: found } = yield* findPoint(entry, wanted)
    const point = yield* loadable(entry, found, notify)
    const before = yield* Ref.get(entry.record)
    const total = journal.steps.length
    const was = before.undone ?? []
    const points = yield* readPoints(entry.folder)
    const looks = new Set(
      journal.steps.flatMap(({ start }, place) => changedNothing(points, was, journal.steps, place) ? [start.id] : [])
    )
    const sinceMs = lastSeenOf(point.record)
    const writers = yield* writersSince(entry, residents, { from, sinceMs })
    const undone = undoneAfter(point.record, from, total)
    // A paused workspace has running commands, too.
    const ran = journal.commands.filter(({ end }) => end === undefined).map(({ start }) => start.id)
    const both = yield* Effect.cached(
      Effect.gen(function*() {
        const redo = Option.getOrThrow(
          yield* takePoint(entry, { always: true, kept: [point.record.id] }).pipe(entry.pushLock.withPermits(1))
        )
        const place = { number: redo.record.number + 1, commands: total, undone }
        return { redo, returned: yield* keepReturned(entry, point, place) }
      })
    )
    // The next VM maps the file of a memory that the second one settles. Disks alone are made side by side.
    const settled = point.record.captured.memory === undefined ? undefined : yield* both
    const { folder } = settled?.returned ?? point
    const rebasing = Effect.map(both, ({ returned }) => ({ point: returned, undone }))
    yield* transit(lifecycle, rewinding(entry, before, { ...point, folder }, rebasing, notify))
    // A point with memory is renewed while the guest is idle: the one of the return has a whole image.
    const seen = settled !== undefined ? undefined : {
      usedMs: entry.uses.lastMs,
      ended: journal.endedCount,
      // Those that start again. Nothing else has survived the old VM.
      hasPrograms: services.all().some(({ end, wanted }) => end === undefined && wanted === "running")
    }
    markReturned(entry, { returnedAt: total, returnedMs: yield* nowMs, seen })
    yield* Effect.forkIn(expectReturn(entry), entry.scope)
    yield* reportWarnings(entry, notify)
    return {
      point,
      redo: (yield* both).redo,
      undone: journal.steps.filter((_, place) => place >= from && place < total && !isUndone(was, place)),
      ended: journal.commands.filter(({ end, start }) => end?.outcome === "lost" && ran.includes(start.id)),
      looks,
      memory: point.record.captured.memory !== undefined,
      written: { by: writers, sinceMs }
    } satisfies Rewound
  })
