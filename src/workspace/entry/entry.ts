import { Effect, type Latch, Option, Ref, Scope, Semaphore, Stream, SubscriptionRef } from "effect"
import type { WorkspaceState } from "../../contract/rows/workspace-info.ts"
import type { GuestChannel } from "../../lib/guest-channel/GuestChannel.ts"
import type { Guest } from "../../lib/vm/model/guest.ts"
import { type Consents, makeConsents } from "./consents.ts"
import type { WorkspaceFolder, WorkspaceId, WorkspaceRecord } from "./record.ts"
import { RequestLog } from "./requests.ts"
import type { Residents } from "./resident-list.ts"
import { makeUses, type Uses } from "./uses.ts"

/** One incarnation of a workspace's VM: running, with its disk mounted, used by no other workspace. */
export interface Generation {
  readonly guest: Guest
  readonly channel: GuestChannel
  /** When it closes, first all work in the VM ends, and then the VM. */
  readonly scope: Scope.Closeable
}

interface EntryState {
  readonly state: WorkspaceState
  readonly detail?: string | undefined
}

/** One workspace in this process: the record has its identity, the entry its current state. */
export interface Entry {
  readonly id: WorkspaceId
  readonly folder: WorkspaceFolder
  readonly record: Ref.Ref<WorkspaceRecord>
  readonly state: Ref.Ref<EntryState>
  readonly generation: Ref.Ref<Option.Option<Generation>>
  /** None only during the creation of the workspace. */
  readonly residents: Ref.Ref<Option.Option<Residents>>
  readonly uses: Readonly<Uses>
  readonly requests: RequestLog
  /** Exports that wait for the user. */
  readonly consents: Consents
  /** Resources of this process for the workspace, without its VM. It closes with the deletion. */
  readonly scope: Scope.Closeable
  /** True while a deletion waits or works. Readers of the workspace's disk then stop. */
  readonly isBeingDeleted: SubscriptionRef.SubscriptionRef<boolean>
  /** One of create, stop, start, reset, snapshot, fork, delete and update at a time. Commands and file operations do not take it. */
  readonly lifecycleLock: Semaphore.Semaphore
  /** One push at a time. */
  readonly pushLock: Semaphore.Semaphore
  /**
   * Lock of the record of pushed files, which is read for a new generation and written for the current one. Held only for operations
   * on host files.
   */
  readonly pushedLock: Semaphore.Semaphore
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
      record: yield* Ref.make(record),
      state: yield* Ref.make<EntryState>({ state: "creating" }),
      generation: yield* Ref.make(Option.none<Generation>()),
      residents: yield* Ref.make(Option.none<Residents>()),
      uses: yield* makeUses(() => void registry?.wasUsed.openUnsafe()),
      requests: new RequestLog(),
      consents: makeConsents(),
      scope: yield* Scope.fork(scope, "sequential"),
      isBeingDeleted: yield* SubscriptionRef.make(false),
      lifecycleLock: yield* Semaphore.make(1),
      pushLock: yield* Semaphore.make(1),
      pushedLock: yield* Semaphore.make(1)
    }
    return entry
  })

/** Ends once the workspace is being deleted. */
export const untilDeleted = ({ isBeingDeleted }: Pick<Entry, "isBeingDeleted">): Effect.Effect<void> =>
  Effect.asVoid(Stream.runHead(Stream.filter(SubscriptionRef.changes(isBeingDeleted), (isDeleting) => isDeleting)))

/** The name of a workspace in messages, or its id if it has no name. Every command accepts both. */
export const displayName = ({ id, record }: {
  readonly id: WorkspaceId
  readonly record: Ref.Ref<WorkspaceRecord>
}): Effect.Effect<string> => Effect.map(Ref.get(record), ({ name }) => name ?? id)

/** The same, for texts that are made outside of Effect. */
export const nameNow = ({ id, record }: Pick<Entry, "id" | "record">): string => Ref.getUnsafe(record).name ?? id
