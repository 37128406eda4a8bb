import { Effect, type Latch, Scope } from "effect"
import { makeWorkLock, type WorkLock } from "../../system/waits/work-lock.ts"
import { type Consents, makeConsents } from "./consents.ts"
import { type CurrentGeneration, noGeneration } from "./current-generation.ts"
import { type Deletion, makeDeletion } from "./deletion.ts"
import { type HeldResidents, noResidents } from "./held-residents.ts"
import { keepRecord, type KeptRecord } from "./kept-record.ts"
import type { WorkspaceFolder, WorkspaceId, WorkspaceRecord } from "./record.ts"
import { RequestLog } from "./requests.ts"
import { type ShownState, showState } from "./shown-state.ts"
import { makeTransfers, type Transfers } from "./transfers.ts"
import { makeUses, type Uses } from "./uses.ts"

/**
 * One workspace in this process. Each part belongs to the file that makes the part: everyone may read it, and only the verbs of its owner change
 * it. What a room above knows of a workspace stays there, as the points of `life/points` do.
 */
export interface Entry {
  readonly id: WorkspaceId
  readonly folder: WorkspaceFolder
  readonly record: KeptRecord
  readonly state: ShownState
  readonly generation: CurrentGeneration
  readonly residents: HeldResidents
  readonly uses: Uses
  readonly requests: RequestLog
  /** Exports that wait for the user. */
  readonly consents: Consents
  /** Moves of the baseline that clients on other computers may ask for. */
  readonly transfers: Transfers
  readonly deletion: Deletion
  /** Resources of this process for the workspace, without its VM. It closes with the deletion. */
  readonly scope: Scope.Closeable
  /** One of create, stop, start, reset, snapshot, fork, delete and update at a time. Commands and file operations do not take it. */
  readonly lifecycleLock: WorkLock
  /** One push at a time. */
  readonly pushLock: WorkLock
  /**
   * Lock of the record of pushed files, which is read for a new generation and written for the current one. Held only for operations
   * on host files.
   */
  readonly pushedLock: WorkLock
}

interface Parent {
  readonly scope: Scope.Scope
  readonly registry?: { readonly wasUsed: Latch.Latch }
}

export const makeEntry = ({ registry, scope }: Parent, folder: WorkspaceFolder, record: WorkspaceRecord) =>
  Effect.gen(function*() {
    const entry: Entry = {
      id: record.id,
      folder,
      record: keepRecord(folder, record),
      state: showState(record.id),
      generation: noGeneration(),
      residents: noResidents(),
      uses: yield* makeUses(() => void registry?.wasUsed.openUnsafe()),
      requests: new RequestLog(),
      consents: makeConsents(),
      transfers: makeTransfers(),
      deletion: yield* makeDeletion,
      scope: yield* Scope.fork(scope, "sequential"),
      lifecycleLock: yield* makeWorkLock,
      pushLock: yield* makeWorkLock,
      pushedLock: yield* makeWorkLock
    }
    return entry
  })

/** The name of a workspace in messages, or its id if it has no name. Every command accepts both. */
export const displayName = ({ id, record }: Pick<Entry, "id" | "record">): Effect.Effect<string> =>
  Effect.map(record.now, ({ name }) => name ?? id)

/** The same, for texts that are made outside of Effect. */
export const nameNow = ({ id, record }: Pick<Entry, "id" | "record">): string => record.get().name ?? id
