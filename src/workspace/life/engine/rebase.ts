import { Data, Effect } from "effect"
import { returnPushed } from "../../../lib/seeding/model/pushed.ts"
import { nowMs } from "../../../system/waits/time.ts"
import { discardFolder } from "../../entry/context.ts"
import type { Entry } from "../../entry/entry.ts"
import { recordEvent } from "../../entry/events.ts"
import { Announced, announcedBy, announcing, withoutAnnouncement } from "../../entry/interrupted.ts"
import type { Span, WorkspaceRecord } from "../../entry/record.ts"
import { recordKeep } from "../../residents/exec/resident.ts"
import type { OpenResidents } from "../../residents/open/open.ts"
import { type Point, readPoints } from "../records/point.ts"
import { findSnapshot, type Snapshot } from "../records/snapshot.ts"
import { removeTried } from "../records/tried.ts"
import { endedBy } from "./ended.ts"

/** State that the residents are brought to. A rewind and a keep keep the history of commands. */
export type Rebase = Data.TaggedEnum<{
  /** After the creation. */
  Baseline: {}
  /** In a snapshot. */
  Snapshot: { readonly snapshot: Snapshot }
  /** In a candidate of a try, which becomes the workspace. */
  Candidate: { readonly snapshot: Snapshot; readonly candidate: string }
  /** In a point, with the commands that are undone then. */
  Point: { readonly point: Point; readonly undone: ReadonlyArray<Span> }
}>
export const Rebase = Data.taggedEnum<Rebase>()

/** The state in a snapshot. Messages do not name the hidden snapshot of a candidate. */
export const rebaseTo = (snapshot: Snapshot): Rebase => {
  const { candidate } = snapshot.record
  return candidate === undefined ? Rebase.Snapshot({ snapshot }) : Rebase.Candidate({ snapshot, candidate })
}

/** Announces the target state in the record before the residents change. */
export const markStale = ({ undone, ...record }: WorkspaceRecord, rebase: Rebase): WorkspaceRecord => {
  const same = withoutAnnouncement(record)
  return Rebase.$match(rebase, {
    Baseline: () => ({ ...same, ...announcing(Announced.Baseline()) }),
    Snapshot: ({ snapshot }) => ({ ...same, ...announcing(Announced.Snapshot({ name: snapshot.record.name })) }),
    Candidate: ({ snapshot }) => ({
      ...same,
      ...(undone === undefined ? {} : { undone }),
      ...announcing(Announced.Snapshot({ name: snapshot.record.name }))
    }),
    Point: ({ point, undone }) => ({ ...same, undone, ...announcing(Announced.Point({ id: point.record.id })) })
  })
}

/** The rebase that a record announces and that a crash interrupted. `undefined` without one. */
export const announcedRebase = (entry: Entry, record: WorkspaceRecord): Effect.Effect<Rebase | undefined> =>
  Announced.$match(announcedBy(record), {
    Nothing: () => Effect.succeed(undefined),
    Baseline: () => Effect.succeed(Rebase.Baseline()),
    Snapshot: ({ name }) => Effect.orElseSucceed(Effect.map(findSnapshot(entry, name), rebaseTo), Rebase.Baseline),
    Point: ({ id }) =>
      Effect.map(Effect.orElseSucceed(readPoints(entry.folder), () => []), (points) => {
        const point = points.find(({ record }) => record.id === id)
        return point && Rebase.Point({ point, undone: record.undone ?? [] })
      })
  })

/**
 * Brings the residents to a state, records the event, and removes the announcement. A repetition after a crash is harmless. Never
 * fails, since the disk has changed already: the next process repeats a failed rebase.
 */
export const rebaseResidents = (entry: Entry, residents: OpenResidents, rebase: Rebase) =>
  Effect.ignoreCause(
    Rebase.$match(rebase, {
      Baseline: () => Effect.andThen(forgetHistory(entry, residents), endReset(entry, {})),
      Snapshot: ({ snapshot }) =>
        Effect.gen(function*() {
          yield* forgetHistory(entry, residents)
          yield* inherit(entry, residents, snapshot)
          yield* endReset(entry, { snapshot: snapshot.record.name })
        }),
      Candidate: ({ candidate, snapshot }) =>
        Effect.gen(function*() {
          yield* toCandidate(entry, residents, { candidate, name: snapshot.record.name })
          yield* inherit(entry, residents, snapshot)
          yield* endReset(entry, { candidate })
        }),
      Point: ({ point }) => toPoint(entry, residents, point)
    })
  )

/** Records the event of a reset, and removes the announcement. */
const endReset = (entry: Entry, from: { readonly snapshot?: string; readonly candidate?: string }) =>
  Effect.andThen(
    recordEvent(entry.folder.directory, { _tag: "reset", ...from }),
    entry.record.commit(withoutAnnouncement, { durable: false })
  )

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
const toCandidate = (
  entry: Entry,
  residents: OpenResidents,
  { candidate, name }: { readonly candidate: string; readonly name: string }
) =>
  Effect.gen(function*() {
    // The next process comes here too, and the commands of the former VM are gone.
    yield* residents.lose(endedBy("reset"))
    yield* residents.clearPresent
    const { generation } = yield* entry.record.now
    yield* recordKeep(residents.commands, candidate, `${name} ${generation}`)
  })

/** Residents that come back with a point: pushed files, services, and the programs in its memory. Other residents stay. */
const toPoint = (
  entry: Entry,
  residents: OpenResidents,
  { folder, record: { captured, id, returned } }: Point
) =>
  Effect.gen(function*() {
    // The next process comes here too, and the commands of the former VM are gone.
    yield* residents.lose(endedBy("rewind"))
    yield* residents.inherit(captured.residents, { folder: folder.logs, sinceMs: (yield* nowMs) - captured.takenAtMs })
    yield* entry.pushedLock.hold(returnPushed(folder.directory, entry.folder.directory))
    yield* recordEvent(entry.folder.directory, { _tag: "rewind", to: returned?.to ?? id })
    yield* entry.record.commit(withoutAnnouncement, { durable: false })
  })

/** The residents of a snapshot, and its baseline with the files pushed before it. */
const inherit = (entry: Entry, residents: OpenResidents, { folder, record: { captured } }: Snapshot) =>
  Effect.gen(function*() {
    const sinceMs = (yield* nowMs) - captured.takenAtMs
    yield* residents.secrets.inherit(folder.directory)
    yield* residents.headerSecrets.inherit(folder.directory)
    yield* residents.inherit(captured.residents, { folder: folder.logs, sinceMs })
    yield* entry.pushedLock.hold(returnPushed(folder.directory, entry.folder.directory))
  })
