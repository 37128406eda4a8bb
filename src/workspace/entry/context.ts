import { Effect, Exit, Option, Scope } from "effect"
import {
  type NoSpace,
  type StateDirectoryUnusable,
  WorkspaceNotFound,
  type WorkspaceNotReady
} from "../../contract/errors/errors.ts"
import type { Notice } from "../../contract/rows/notice.ts"
import type { WorkspaceOperation } from "../../contract/rows/operations.ts"
import { endVm } from "../../lib/vm/model/sweep.ts"
import { removeEmptyFolder } from "../../system/files/entries.ts"
import { toHostError } from "../../system/files/failure.ts"
import { removeTree } from "../../system/files/remove-tree.ts"
import type { Generation } from "./current-generation.ts"
import type { Entry } from "./entry.ts"
import { beingDeleted, demandLegal } from "./not-ready.ts"
import type { Registry } from "./registry.ts"

export interface Lifecycle {
  readonly registry: Registry
  /** Scope of all workspaces. When it closes, they end, or stay for the next process. */
  readonly scope: Scope.Scope
}

/** Reports progress to the caller. */
export type Notify = (notice: Notice) => void

export const progress = (notify: Notify, message: string, fraction: number) =>
  Effect.sync(() => notify({ _tag: "Notice", level: "progress", message, fraction }))

const stillThere = ({ registry }: Lifecycle, entry: Entry) =>
  Effect.suspend(() =>
    registry.entries.get(entry.id) === entry
      ? Effect.void
      : new WorkspaceNotFound({ workspace: entry.id, similar: [] })
  )

/** One lifecycle step at a time. Fails if the workspace was deleted while this step waited. */
export const alone = (lifecycle: Lifecycle, entry: Entry) => <A, E, R>(work: Effect.Effect<A, E, R>) =>
  Effect.andThen(stillThere(lifecycle, entry), work).pipe(entry.lifecycleLock.hold)

/** One step at a time, for an operation that the table of states may refuse. */
export const aloneFor =
  (lifecycle: Lifecycle, entry: Entry, operation: WorkspaceOperation) => <A, E, R>(work: Effect.Effect<A, E, R>) =>
    Effect.andThen(demandLegal(entry, operation), work).pipe(alone(lifecycle, entry))

/** Holds the lifecycle lock until the Scope closes. */
export const acquireLifecycleLock = (lifecycle: Lifecycle, entry: Entry) =>
  Effect.andThen(entry.lifecycleLock.acquire, stillThere(lifecycle, entry))

/**
 * Turns a failure of work into the error of a deletion if the workspace was deleted meanwhile: the deletion removed the files that the
 * work needs. For a caller that does not hold the lifecycle lock.
 */
export const unlessDeleted =
  ({ registry }: Lifecycle, entry: Entry) =>
  <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E | WorkspaceNotFound | WorkspaceNotReady, R> =>
    Effect.catch(work, (failure) =>
      Effect.gen(function*() {
        if (registry.entries.get(entry.id) !== entry) {
          return yield* new WorkspaceNotFound({ workspace: entry.id, similar: [] })
        }
        const { state } = yield* entry.state.now
        return yield* state === "deleting" ? beingDeleted(entry) : Effect.fail(failure)
      }))

/** Ends a generation: commands first, then the VM. Returns when QEMU is gone. */
export const close = (generation: Generation) => Scope.close(generation.scope, Exit.void)

/** A scope for a future generation. It closes with the scope of the workspace at the latest. */
export const generationScope = (entry: Entry) => Scope.fork(entry.scope, "sequential")

/** Delay before the replaced VM is ended, so that the caller's first command has the host to itself. */
const replacedMs = 100

/**
 * Ends a replaced generation and removes its disk, in the background. If this process ends before, the next process removes the
 * rest.
 */
export const leaveBehind = (entry: Entry, old: Option.Option<Generation>, disk: string) =>
  Effect.interruptible(Effect.sleep(replacedMs)).pipe(
    Effect.ensuring(Option.match(old, { onNone: () => Effect.void, onSome: close })),
    Effect.andThen(Effect.interruptible(discardFolder(disk))),
    // The old generation ends, also if the scope closes at once.
    Effect.forkIn(entry.scope, { uninterruptible: true })
  )

/** Removes a folder with its content, if it exists. */
export const removeFolder = (folder: string): Effect.Effect<void, NoSpace | StateDirectoryUnusable> =>
  Effect.mapError(removeTree(folder), toHostError)

/** Removes an unused folder. Never fails: the next start of a daemon removes the rest. */
export const discardFolder = (folder: string): Effect.Effect<void> => Effect.ignoreCause(removeTree(folder))

/** Removes a folder, and its parent folder if that is empty then. */
export const removeStaged = (above: string, directory: string) =>
  Effect.andThen(discardFolder(directory), Effect.ignore(removeEmptyFolder(above)))

/** Ends the VM that the record names if this process could not attach to it. Afterwards another VM may use the disk. */
export const endUnattached = (entry: Entry) =>
  Effect.gen(function*() {
    const { vm } = yield* entry.record.now
    if (vm !== undefined && Option.isNone(yield* entry.generation.now)) yield* endVm(vm)
  })
