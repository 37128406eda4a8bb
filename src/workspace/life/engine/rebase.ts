import { Effect, Ref } from "effect"
import { returnPushed } from "../../../lib/seeding/model/pushed.ts"
import { nowMs } from "../../../system/waits/time.ts"
import { commit, discardFolder } from "../../entry/context.ts"
import type { Entry } from "../../entry/entry.ts"
import { recordEvent } from "../../entry/events.ts"
import type { Span, WorkspaceRecord } from "../../entry/record.ts"
import { recordKeep } from "../../residents/exec/resident.ts"
import type { OpenResidents } from "../../residents/open/open.ts"
import { type Point, readPoints } from "../records/point.ts"
import { findSnapshot, type Snapshot } from "../records/snapshot.ts"
import { removeTried } from "../records/tried.ts"
import { endedBy } from "./ended-by.ts"

/** A rewind to a point, and the commands that are undone then. */
export interface ToPoint {
  readonly point: Point
  readonly undone: ReadonlyArray<Span>
}

/** State that a reset gives the residents: the state after the creation, or the state in a snapshot. A rewind and a keep keep the history of commands. */
export type Rebase = "baseline" | Snapshot | ToPoint

/** A candidate of a try becomes the workspace. */
const isKeep = (rebase: Rebase): rebase is Snapshot =>
  rebase !== "baseline" && !isToPoint(rebase) && rebase.record.candidate !== undefined

const isToPoint = (rebase: Rebase): rebase is ToPoint => typeof rebase === "object" && "point" in rebase

/** Announces the target state in the record before the residents change. */
export const markStale = (
  { restoredFrom: _, rewoundTo: _rewound, undone, ...record }: WorkspaceRecord,
  rebase: Rebase
): WorkspaceRecord =>
  isToPoint(rebase)
    ? { ...record, undone: rebase.undone, rewoundTo: rebase.point.record.id }
    : {
      ...record,
      staleResidents: true,
      ...(isKeep(rebase) && undone !== undefined ? { undone } : {}),
      ...(rebase === "baseline" ? {} : { restoredFrom: rebase.record.name })
    }

/** The rebase that a record announces and that a crash interrupted. `undefined` without one. */
export const announcedRebase = (
  entry: Entry,
  { restoredFrom, rewoundTo, staleResidents, undone = [] }: WorkspaceRecord
) =>
  rewoundTo !== undefined
    ? Effect.map(
      Effect.orElseSucceed(readPoints(entry.folder), () => []),
      (points): Rebase | undefined => {
        const point = points.find(({ record }) => record.id === rewoundTo)
        return point && { point, undone }
      }
    )
    : staleResidents !== true
    ? Effect.succeed(undefined)
    : restoredFrom === undefined
    ? Effect.succeed<Rebase>("baseline")
    : Effect.orElseSucceed(
      Effect.map(findSnapshot(entry, restoredFrom), (found): Rebase => found),
      (): Rebase => "baseline"
    )

/**
 * Brings the residents to a state, records the event, and removes the announcement. A repetition after a crash is harmless. Never
 * fails, since the disk has changed already: the next process repeats a failed rebase.
 */
export const rebaseResidents = (entry: Entry, residents: OpenResidents, rebase: Rebase) =>
  isToPoint(rebase) ? toPoint(entry, residents, rebase) : Effect.gen(function*() {
    yield* isKeep(rebase) ? toCandidate(entry, residents, rebase) : forgetHistory(entry, residents)
    if (rebase !== "baseline") yield* inherit(entry, residents, rebase)
    const from = rebase === "baseline" ? {} : originOf(rebase)
    yield* recordEvent(entry.folder.directory, { _tag: "reset", ...from })
    yield* commit(entry, ({ restoredFrom: _, staleResidents: _stale, ...now }) => now, { durable: false })
  }).pipe(Effect.ignoreCause)

const forgetHistory = (entry: Entry, residents: OpenResidents) =>
  Effect.gen(function*() {
    yield* residents.clear
    yield* removeTried(entry)
    // They belong to the forgotten commands.
    yield* discardFolder(entry.folder.points)
    // The guest that knew the former values and placeholders is gone.
    yield* residents.secrets.forgetFormer
    yield* residents.headerSecrets.forgetFormer
  })

/** Commands and points stay, and the journal gets an entry for the keep. Commands that ran at the fork of the candidate go on in the candidate. */
const toCandidate = (entry: Entry, residents: OpenResidents, { record: { candidate = "", name } }: Snapshot) =>
  Effect.gen(function*() {
    // The next process comes here too, and the commands of the former VM are gone.
    yield* residents.lose(endedBy("reset"))
    yield* residents.clearPresent
    const { generation } = yield* Ref.get(entry.record)
    yield* recordKeep(residents.commands, candidate, `${name} ${generation}`)
  })

/** Messages do not name the hidden snapshot of a candidate. */
const originOf = ({ record: { candidate, name } }: Snapshot) =>
  candidate === undefined ? { snapshot: name } : { candidate }

/** Residents that come back with a point: pushed files, services, and the programs in its memory. Other residents stay. */
const toPoint = (
  entry: Entry,
  residents: OpenResidents,
  { point: { folder, record: { captured, id, returned } } }: ToPoint
) =>
  Effect.gen(function*() {
    // The next process comes here too, and the commands of the former VM are gone.
    yield* residents.lose(endedBy("rewind"))
    yield* residents.inherit(captured.residents, { folder: folder.logs, sinceMs: (yield* nowMs) - captured.takenAtMs })
    yield* entry.pushedLock.withPermits(1)(returnPushed(folder.directory, entry.folder.directory))
    yield* recordEvent(entry.folder.directory, { _tag: "rewind", to: returned?.to ?? id })
    yield* commit(entry, ({ rewoundTo: _, ...now }) => now, { durable: false })
  }).pipe(Effect.ignoreCause)

/** The residents of a snapshot, and its baseline with the files pushed before it. */
const inherit = (entry: Entry, residents: OpenResidents, { folder, record: { captured } }: Snapshot) =>
  Effect.gen(function*() {
    const sinceMs = (yield* nowMs) - captured.takenAtMs
    yield* residents.secrets.inherit(folder.directory)
    yield* residents.headerSecrets.inherit(folder.directory)
    yield* residents.inherit(captured.residents, { folder: folder.logs, sinceMs })
    yield* entry.pushedLock.withPermits(1)(returnPushed(folder.directory, entry.folder.directory))
  })
