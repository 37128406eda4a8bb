import { Effect } from "effect"
import { copyPushed } from "../../seeding/pushed.ts"
import { nowMs } from "../../system/waits/time.ts"
import { commit } from "../entry/context.ts"
import type { Entry } from "../entry/entry.ts"
import { recordEvent } from "../entry/events.ts"
import type { WorkspaceRecord } from "../entry/record.ts"
import type { OpenResidents } from "../residents/open.ts"
import { findSnapshot, type Snapshot } from "./snapshot/record.ts"

/** State that a reset gives the residents: the state after the creation, or the state in a snapshot. */
export type Rebase = "baseline" | Snapshot

/** Announces the target state in the record before the residents change. */
export const markStale = ({ restoredFrom: _, ...record }: WorkspaceRecord, rebase: Rebase): WorkspaceRecord => ({
  ...record,
  staleResidents: true,
  ...(rebase === "baseline" ? {} : { restoredFrom: rebase.record.name })
})

/** The rebase that a record announces and that a crash interrupted. `undefined` without one. */
export const announcedRebase = (entry: Entry, { restoredFrom, staleResidents }: WorkspaceRecord) =>
  staleResidents !== true
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
  Effect.gen(function*() {
    yield* residents.clear
    // The guest that knew the former values and placeholders is gone.
    yield* residents.secrets.forgetFormer
    yield* residents.headerSecrets.forgetFormer
    if (rebase !== "baseline") yield* inherit(entry, residents, rebase)
    const from = rebase === "baseline" ? {} : originOf(rebase)
    yield* recordEvent(entry.folder.directory, { _tag: "reset", ...from })
    yield* commit(entry, ({ restoredFrom: _, staleResidents: _stale, ...now }) => now, { durable: false })
  }).pipe(Effect.ignoreCause)

/** The hidden snapshot of a candidate has no name for people. */
const originOf = ({ record: { candidate, name } }: Snapshot) =>
  candidate === undefined ? { snapshot: name } : { candidate }

/** The residents of a snapshot, and its baseline with the files pushed before it. */
const inherit = (entry: Entry, residents: OpenResidents, { folder, record: { captured } }: Snapshot) =>
  Effect.gen(function*() {
    const sinceMs = (yield* nowMs) - captured.takenAtMs
    yield* residents.secrets.inherit(folder.directory)
    yield* residents.headerSecrets.inherit(folder.directory)
    yield* residents.inherit(captured.residents, { folder: folder.logs, sinceMs })
    yield* entry.pushedLock.withPermits(1)(copyPushed(folder.directory, entry.folder.directory))
  })
