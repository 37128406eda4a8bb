import { Effect, Ref, SubscriptionRef } from "effect"
import { type NoSpace, type PyroError, type StateDirectoryUnusable, WorkspaceNotFound } from "../../contract/errors.ts"
import type { DeletePayload } from "../../contract/operations/workspace-delete.ts"
import type { Paths } from "../../system/Paths.ts"
import { endVm } from "../../vm/record/sweep.ts"
import { aloneFor, type Lifecycle } from "./context.ts"
import { forget } from "./create.ts"
import { type Damaged, isDamaged, vmsOnDisksOf } from "./damaged.ts"
import type { Transition } from "./description.ts"
import type { Entry } from "./entry.ts"
import type { WorkspaceId } from "./record.ts"
import { endedBy } from "./stop.ts"
import { transit } from "./transition.ts"
import { moveToTrash, removeTrashed } from "./trash.ts"

/** The end of a workspace's VM, announced as the end of the workspace. */
const deleting = (entry: Entry): Transition => ({
  name: "delete",
  entry,
  shows: "deleting",
  change: (record) => ({ ...record, phase: "deleting" }),
  // On a full disk the workspace is gone only with its folder: after a crash before that it is as it was.
  unwritten: "ignored",
  lose: endedBy("delete")
})

/** Removes the workspace with everything in it, on a full disk too. The caller has the workspace alone. */
export const removeAlone = (lifecycle: Lifecycle, entry: Entry) =>
  Effect.zipRight(transit(lifecycle, deleting(entry)), forget(lifecycle, entry)).pipe(Effect.uninterruptible)

/** Removes the workspace when its present step has ended. Inspectors of its disk end first. */
const remove = (lifecycle: Lifecycle, entry: Entry) =>
  Effect.acquireUseRelease(
    SubscriptionRef.set(entry.doomed, true),
    () => removeAlone(lifecycle, entry).pipe(aloneFor(lifecycle, entry, "workspace.delete")),
    () => SubscriptionRef.set(entry.doomed, false)
  )

/** Ends what runs on its disks and removes it; what is cut short here the next process finishes. */
const removeDamaged = ({ registry }: Lifecycle, damaged: Damaged) =>
  Effect.suspend((): Effect.Effect<void, WorkspaceNotFound | NoSpace | StateDirectoryUnusable, Paths> => {
    const { folder, id } = damaged
    if (!registry.damaged.delete(id)) return Effect.fail(new WorkspaceNotFound({ workspace: id, similar: [] }))
    return Effect.gen(function*() {
      const vms = yield* vmsOnDisksOf([folder])
      // First: then its VMs are nobody's, should this be cut short.
      const aside = yield* moveToTrash(folder.directory).pipe(
        Effect.onError(() => Effect.sync(() => registry.damaged.set(id, damaged)))
      )
      yield* Effect.forEach(vms, endVm, { discard: true })
      yield* removeTrashed(aside)
    })
  }).pipe(Effect.uninterruptible)

/** Which workspaces are to go; fails before any is touched when there is no such one. */
const doomed = (
  { registry: { lookUp, reachable } }: Lifecycle,
  payload: DeletePayload
): Effect.Effect<ReadonlyArray<Entry | Damaged>, PyroError> =>
  Effect.gen(function*() {
    if (payload.all) return [...yield* reachable.entries, ...(yield* reachable.damaged).values()]
    return [...new Set(yield* Effect.forEach(payload.workspaces, lookUp))]
  })

/** A workspace that is gone, as its user called it. */
export interface Deleted {
  readonly id: WorkspaceId
  readonly name: string | undefined
}

/** Deletes one, and gives what it was. */
const removeOne = (lifecycle: Lifecycle, one: Entry | Damaged) =>
  isDamaged(one)
    ? Effect.as(removeDamaged(lifecycle, one), { id: one.id, name: undefined })
    : Effect.gen(function*() {
      const { name } = yield* Ref.get(one.record)
      yield* remove(lifecycle, one)
      return { id: one.id, name }
    })

/** Deletes several, and gives what they were. Each is tried, whatever becomes of the others. */
export const removeAll = (lifecycle: Lifecycle, payload: DeletePayload) =>
  Effect.gen(function*() {
    const results = yield* Effect.forEach(
      yield* doomed(lifecycle, payload),
      (one) =>
        removeOne(lifecycle, one).pipe(
          Effect.map((deleted): ReadonlyArray<Deleted> => [deleted]),
          Effect.catchIf(
            (failure) => payload.all && failure._tag === "WorkspaceNotFound",
            () => Effect.succeed([])
          ),
          Effect.either
        ),
      { concurrency: 4 }
    )
    return (yield* Effect.all(results)).flat()
  })
