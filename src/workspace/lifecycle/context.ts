import { Context, Effect, ExecutionStrategy, Exit, Option, Ref, Scope } from "effect"
import {
  factOf,
  type NoSpace,
  type PyroError,
  type StateDirectoryUnusable,
  WorkspaceNotFound,
  type WorkspaceNotReady
} from "../../contract/errors.ts"
import type { Notice } from "../../contract/notice.ts"
import type { WorkspaceOperation } from "../../contract/operation-states.ts"
import type { WorkspaceState } from "../../contract/operations/workspace-info.ts"
import { printable } from "../../contract/printable.ts"
import { SeedImages } from "../../disk/SeedImages.ts"
import { Environments } from "../../environment/Environments.ts"
import { Kernel } from "../../environment/Kernel.ts"
import { removeEmptyFolder, removeTree } from "../../system/files/folders.ts"
import { toHostError } from "../../system/files/host-error.ts"
import { Paths } from "../../system/Paths.ts"
import { HostFacts } from "../../vm/host/HostFacts.ts"
import { Pool } from "../../vm/pool/Pool.ts"
import { endVm } from "../../vm/record/sweep.ts"
import { Vmm } from "../../vm/Vmm.ts"
import type { Entry } from "./entry.ts"
import type { Generation } from "./generation.ts"
import { beingDeleted, demandLegal } from "./not-ready.ts"
import { type WorkspaceRecord, writeWorkspace, type WriteWorkspaceOptions } from "./record.ts"
import type { Registry } from "./registry.ts"

/** What lifecycle steps are done with. */
export const pickServices = Context.pick(Environments, HostFacts, Kernel, Paths, Pool, SeedImages, Vmm)
export type LifecycleServices = Environments | HostFacts | Kernel | Paths | Pool | SeedImages | Vmm

export interface Lifecycle {
  readonly registry: Registry
  /** Everything of every workspace ends with it, or is left for the next process. */
  readonly scope: Scope.Scope
}

/** Tells whoever asked how far it is. */
export type Notify = (notice: Notice) => void

export const progress = (notify: Notify, message: string, fraction: number) =>
  Effect.sync(() => notify({ _tag: "Notice", level: "progress", message, fraction }))

/** Changes what a workspace is, on disk first. */
export const commit = (
  entry: Entry,
  change: (record: WorkspaceRecord) => WorkspaceRecord,
  options: WriteWorkspaceOptions = {}
) =>
  Effect.gen(function*() {
    const changed = change(yield* Ref.get(entry.record))
    yield* writeWorkspace(entry.folder, changed, options)
    yield* Ref.set(entry.record, changed)
    return changed
  })

const stillThere = ({ registry }: Lifecycle, entry: Entry) =>
  Effect.suspend(() =>
    registry.entries.get(entry.id) === entry
      ? Effect.void
      : new WorkspaceNotFound({ workspace: entry.id, similar: [] })
  )

/** One lifecycle step at a time. Fails if the workspace was deleted while this step waited. */
export const alone = (lifecycle: Lifecycle, entry: Entry) => <A, E, R>(work: Effect.Effect<A, E, R>) =>
  Effect.zipRight(stillThere(lifecycle, entry), work).pipe(entry.one.withPermits(1))

/** One step at a time, for an operation that the table of states may refuse. */
export const aloneFor =
  (lifecycle: Lifecycle, entry: Entry, operation: WorkspaceOperation) => <A, E, R>(work: Effect.Effect<A, E, R>) =>
    Effect.zipRight(demandLegal(entry, operation), work).pipe(alone(lifecycle, entry))

/** Has the workspace alone for as long as the Scope lasts. */
export const holdAlone = (lifecycle: Lifecycle, entry: Entry) =>
  Effect.uninterruptibleMask((restore) =>
    Effect.zipRight(restore(entry.one.take(1)), Effect.addFinalizer(() => entry.one.release(1)))
  ).pipe(Effect.zipRight(stillThere(lifecycle, entry)))

/** What fails where the workspace is deleted meanwhile fails as that: its files went in the middle. For whoever does not have it alone. */
export const unlessDeleted =
  ({ registry }: Lifecycle, entry: Entry) =>
  <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E | WorkspaceNotFound | WorkspaceNotReady, R> =>
    Effect.catchAll(work, (failure) =>
      Effect.gen(function*() {
        if (registry.entries.get(entry.id) !== entry) {
          return yield* new WorkspaceNotFound({ workspace: entry.id, similar: [] })
        }
        const { state } = yield* Ref.get(entry.state)
        return yield* state === "deleting" ? beingDeleted(entry) : Effect.fail(failure)
      }))

/** Shows a state during the work. If the work fails, the state before comes back, unless the VM died meanwhile. */
export const during = (entry: Entry, state: WorkspaceState) => <A, E, R>(work: Effect.Effect<A, E, R>) =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(
      Ref.getAndSet(entry.state, { state }),
      (before) =>
        Effect.onError(restore(work), () => Ref.update(entry.state, (now) => now.state === state ? before : now))
    )
  )

/** Its state, and a line of the daemon's log. */
export const setFailed = (entry: Entry, failure: PyroError) =>
  Effect.zipRight(
    Ref.set(entry.state, { state: "failed", detail: failure.message }),
    Effect.logWarning(`${entry.id} has failed: ${printable(factOf(failure))}`)
  )

/** Ends a generation: commands first, then the VM. Returns when QEMU is gone. */
export const close = (generation: Generation) => Scope.close(generation.scope, Exit.void)

/** Takes the current generation out, so that nobody starts anything in it any more. */
export const takeOut = (entry: Entry) => Ref.getAndSet(entry.generation, Option.none<Generation>())

/** Takes a generation out if it is the current one. False: it is not. */
export const takeOutIf = (entry: Entry, generation: Generation) =>
  Ref.modify(entry.generation, (now) => {
    const isCurrent = Option.isSome(now) && now.value === generation
    return [isCurrent, isCurrent ? Option.none<Generation>() : now]
  })

/** A scope for a generation to come: it ends with the workspace, if nobody closes it before. */
export const generationScope = (entry: Entry) => Scope.fork(entry.scope, ExecutionStrategy.sequential)

/** How long whoever asked has the host to themselves, for the first command most of all, before what was replaced is ended. */
const replacedMs = 100

/**
 * Ends a generation that another took the place of, and removes its disk, behind the caller's back. What is not removed before this
 * process ends is removed by the next.
 */
export const leaveBehind = (entry: Entry, old: Option.Option<Generation>, disk: string) =>
  Effect.interruptible(Effect.sleep(replacedMs)).pipe(
    Effect.ensuring(Option.match(old, { onNone: () => Effect.void, onSome: close })),
    Effect.zipRight(Effect.interruptible(discardFolder(disk))),
    Effect.forkIn(entry.scope)
  )

/** Removes a folder with everything in it, if it is there. */
export const removeFolder = (folder: string): Effect.Effect<void, NoSpace | StateDirectoryUnusable> =>
  Effect.mapError(removeTree(folder), toHostError)

/** The same for a folder that nobody needs any more: the next start of a daemon removes what stays. */
export const discardFolder = (folder: string): Effect.Effect<void> => Effect.ignoreLogged(removeTree(folder))

/** The folder above goes with the last one in it. */
export const removeStaged = (above: string, directory: string) =>
  Effect.zipRight(discardFolder(directory), Effect.ignore(removeEmptyFolder(above)))

/** Ends the VM that the record names where this process could not attach to it. Its disk may then have another one. */
export const endUnattached = (entry: Entry) =>
  Effect.gen(function*() {
    const { vm } = yield* Ref.get(entry.record)
    if (vm !== undefined && Option.isNone(yield* Ref.get(entry.generation))) yield* endVm(vm)
  })
