import { Effect, Option } from "effect"
import { dropWhole, settleWhole } from "../../../lib/vm/model/memory-image.ts"
import { Vmm } from "../../../lib/vm/Vmm.ts"
import { attempt } from "../../../system/files/failure.ts"
import { linkTree } from "../../../system/files/link-tree.ts"
import { hostBootId } from "../../../system/processes/identity.ts"
import { deadlineScale } from "../../../system/settings/deadline-scale.ts"
import { nowMs } from "../../../system/waits/time.ts"
import type { Notify } from "../../entry/context.ts"
import type { Entry } from "../../entry/entry.ts"
import { type Span, unwritten } from "../../entry/record.ts"
import { noStates } from "../../entry/resident.ts"
import type { CommandJournal } from "../../residents/exec/journal.ts"
import { residentsOf } from "../../residents/open/entry-residents.ts"
import type { Services } from "../../residents/service/services.ts"
import { linkedBase } from "../guest/base.ts"
import { lastSeenOf, makePoint, newPointId, type Point, type PointRecord, readPoints } from "../records/point.ts"
import { seedOf } from "../snapshot/capture.ts"
import { obstaclesOf } from "../snapshot/restore.ts"
import { takeAhead } from "./ahead.ts"
import { changedNothing, findPoint, type Wanted } from "./choose.ts"
import { doubtedLooks } from "./git-looks.ts"
import { programsOf } from "./last-look.ts"
import { isUndone, undoneAfter } from "./lineage.ts"
import { takePoint } from "./take.ts"
import { writersSince } from "./writers.ts"

/** The record of a point without its memory: its services start again. */
const diskAlone = (
  { captured, declared, diskMark: _, hasPrograms: _programs, ...same }: PointRecord
): PointRecord => {
  const { memory: _memory, ...disk } = captured
  return { ...same, captured: { ...disk, residents: declared ?? noStates } }
}

/** A point with its memory if the memory can continue here. Else with its disk alone, and says why. */
export const loadable = (entry: Entry, point: Point, notify: Notify) =>
  Effect.gen(function*() {
    const { captured, hostBoot = hostBootId(), id } = point.record
    if (captured.memory === undefined) return point satisfies Point
    const images = yield* linkedBase(entry.folder.base)
    const seed = seedOf(entry, yield* entry.record.now)
    const obstacles = yield* obstaclesOf({ record: { name: id, durable: false, hostBoot, captured } }, images, seed)
    if (obstacles.length === 0) return point
    notify({
      _tag: "Notice",
      level: "warning",
      message: `the memory of point ${id} cannot continue here, so the files alone come back: ${obstacles.join("; ")}`
    })
    return { ...point, record: diskAlone(point.record) }
  })

/**
 * Makes the point of the state right after a return to a point, without a copy: further names of the files of that point, after the same commands. Of
 * a memory with diffs it has the whole image, which the next VM maps.
 */
const keepReturned = (
  entry: Entry,
  { folder, record }: Point,
  place: Pick<PointRecord, "commands" | "number" | "undone">
) =>
  Effect.gen(function*() {
    const { memory } = record.captured
    const { memoryPath } = folder.frozen
    if (memory !== undefined) {
      yield* takeAhead(entry, { folder })
      yield* Effect.flatMap(Vmm, (vmm) => vmm.on(memory.spec.driver).prepareMemory(memoryPath))
    }
    const { diskMark: _, seenMs: _seen, ...same } = record
    const id = newPointId()
    const returned: PointRecord = {
      ...same,
      ...place,
      id,
      unchanged: 0,
      // Without a memory, none of them comes back.
      running: memory === undefined ? [] : same.running,
      writtenBytes: 0,
      returned: { to: record.id, atMs: yield* nowMs }
    }
    return yield* makePoint(entry.folder, id, (half) =>
      Effect.gen(function*() {
        yield* linkTree(folder.directory, half.directory)
        if (memory === undefined) return returned
        yield* Effect.mapError(
          attempt("rename", half.directory, () => {
            settleWhole(half.frozen.memoryPath)
            dropWhole(memoryPath)
          }),
          unwritten(entry.folder)
        )
        return returned
      }))
  })

/** Longest wait for a guest to write its caches, for the look whether the last commands have changed anything. */
const LOOK_LIMIT_MS = 1_000 * deadlineScale

/** Finds out which of the last commands have changed nothing, if nobody has looked since. Without an answer they count as changes. */
const lookBack = (entry: Entry) =>
  Effect.flatMap(entry.state.now, ({ state }) =>
    state === "running"
      ? Effect.ignore(
        entry.pushLock.hold(takePoint(entry, { onlyLook: true, flushLimit: LOOK_LIMIT_MS }))
      )
      : Effect.void)

/** A return to a point before anything has changed. */
export interface PlannedReturn {
  readonly point: Point
  readonly journal: CommandJournal
  readonly services: Services
  /** Number of commands in the journal. */
  readonly total: number
  /** Places in the journal of the commands that it undoes. */
  readonly places: ReadonlySet<number>
  /** All commands that are undone after it. */
  readonly spans: ReadonlyArray<Span>
  /** Ids of those commands of the history that had changed nothing. */
  readonly looks: ReadonlySet<string>
  /** Other programs that may have written since the workspace was as the point has it, and that time, in ms since 1970. */
  readonly written: { readonly by: ReadonlyArray<string>; readonly sinceMs: number }
}

/**
 * Finds the point that a request means, and what a return to it undoes. `both` makes the point of the state before the return, and the one of the
 * state right after it; its result is kept.
 */
export const planReturn = (entry: Entry, wanted: Wanted, notify: Notify) =>
  Effect.gen(function*() {
    const residents = yield* residentsOf(entry, "workspace.rewind")
    const { commands: { journal }, services } = residents
    if ("steps" in wanted) yield* lookBack(entry)
    const was = (yield* entry.record.now).undone ?? []
    const points = yield* readPoints(entry.folder)
    const doubted = yield* doubtedLooks(entry, points, was, journal.steps)
    const known = { points, undone: was, steps: journal.steps, doubted }
    const { from, point: found } = yield* findPoint(entry, wanted, doubted)
    const point = yield* loadable(entry, found, notify)
    const total = journal.steps.length
    const sinceMs = lastSeenOf(point.record)
    const planned: PlannedReturn = {
      point,
      journal,
      services,
      total,
      places: new Set(journal.steps.flatMap((_, place) => place >= from && !isUndone(was, place) ? [place] : [])),
      spans: undoneAfter(point.record, from, total),
      looks: new Set(
        journal.steps.flatMap(({ start }, place) => changedNothing(known, place) ? [start.id] : [])
      ),
      written: {
        by: yield* writersSince(entry, residents, { from, programs: programsOf(entry), sinceMs }),
        sinceMs
      }
    }
    const both = yield* Effect.cached(
      Effect.gen(function*() {
        const redo = Option.getOrThrow(
          yield* takePoint(entry, { always: true, kept: [point.record.id] }).pipe(entry.pushLock.hold)
        )
        const place = { number: redo.record.number + 1, commands: total, undone: planned.spans }
        return { redo, returned: yield* keepReturned(entry, point, place) }
      })
    )
    return { ...planned, both }
  })
