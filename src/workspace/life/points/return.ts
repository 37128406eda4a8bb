import { Effect, Option } from "effect"
import { deadlineScale } from "../../../system/settings/deadline-scale.ts"
import type { Notify } from "../../entry/context.ts"
import type { Entry } from "../../entry/entry.ts"
import type { Span } from "../../entry/record.ts"
import type { CommandJournal } from "../../residents/exec/journal.ts"
import { residentsOf } from "../../residents/open/entry-residents.ts"
import type { Services } from "../../residents/service/services.ts"
import { lastSeenOf, type Point, readPoints } from "../records/point.ts"
import { changedNothing, findPoint, type Wanted } from "./choose.ts"
import { doubtedLooks } from "./git-looks.ts"
import { programsOf } from "./last-look.ts"
import { isUndone, undoneAfter } from "./lineage.ts"
import { loadable } from "./loadable.ts"
import { keepReturned } from "./returned.ts"
import { takePoint } from "./take.ts"
import { writersSince } from "./writers.ts"

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
