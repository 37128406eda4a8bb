import { Effect } from "effect"
import type { Entry } from "../../entry/entry.ts"
import type { WorkspaceRecord } from "../../entry/record.ts"
import type { CommandJournal, JournaledCommand } from "../../residents/exec/journal.ts"
import type { Services } from "../../residents/service/services.ts"
import { newPointId, type Point, type PointRecord, writePoint } from "../records/point.ts"
import type { Captured } from "../records/snapshot.ts"
import { isBehind } from "./lineage.ts"

/** The workspace right before a point. */
export interface Before {
  readonly entry: Entry
  readonly record: WorkspaceRecord
  readonly last: Point | undefined
  readonly journal: CommandJournal
  readonly services: Services
  /** Time until which the point has all writes, in ms since 1970: that before the flush of a disk. */
  readonly momentMs: number
  /** Number of commands that had started when the point was begun. */
  readonly startedBefore: number
  /** Number of commands after the last point that have ended, up to the first one that runs. */
  readonly endedAfterLast: number
  /** The point is made in any case. */
  readonly always: boolean
  /** No point is made. */
  readonly onlyLook: boolean
  /** No use has ended since the last look. Programs may have written. */
  readonly isUnused: boolean
}

/** Whether no point is to be made: nothing changed since the last one, whose record then counts the commands since, or a command has started. */
export const isNeedless = (
  {
    always,
    endedAfterLast,
    entry: { folder },
    isUnused,
    journal,
    last,
    momentMs,
    onlyLook,
    record: { undone = [] },
    startedBefore
  }: Before,
  hasSameDisk: boolean
) =>
  Effect.gen(function*() {
    const isSame = hasSameDisk && last !== undefined && isBehind(last.record, undone)
    const unchanged = isSame ? last.record.unchanged ?? 0 : 0
    if (isSame && (isUnused || endedAfterLast > unchanged)) {
      const seen = { unchanged: Math.max(endedAfterLast, unchanged), seenMs: momentMs }
      yield* writePoint(folder, last.folder, { ...last.record, ...seen })
    }
    return !always && (isSame || onlyLook || journal.steps.length !== startedBefore)
  })

/** The record of a point of the disk after these commands. `takenAtMs`: the moment of a point with memory. */
export const recordOf = (
  { last, momentMs, record: { undone = [] }, services }: Before,
  commands: ReadonlyArray<JournaledCommand>,
  { id = newPointId(), layers, takenAtMs = momentMs, writtenBytes }:
    & Pick<Captured, "layers">
    & Pick<PointRecord, "writtenBytes">
    & Partial<Pick<PointRecord, "id"> & Pick<Captured, "takenAtMs">>
): PointRecord => ({
  format: 1,
  id,
  number: (last?.record.number ?? 0) + 1,
  commands: commands.length,
  running: commands.filter(({ end }) => end === undefined).map(({ start }) => start.id),
  undone,
  writtenBytes,
  captured: { takenAtMs, layers, residents: services.declared() }
})
