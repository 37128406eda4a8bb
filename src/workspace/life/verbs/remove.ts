import { Effect } from "effect"
import {
  type NoSpace,
  type PyroError,
  type StateDirectoryUnusable,
  WorkspaceNotFound
} from "../../../contract/errors/errors.ts"
import type { DeletePayload } from "../../../contract/rows/workspace-reset.ts"
import { endVm } from "../../../lib/vm/model/sweep.ts"
import type { Paths } from "../../../system/files/Paths.ts"
import { type Absences, nowMs } from "../../../system/waits/time.ts"
import { lastActivity, touch } from "../../entry/activity.ts"
import { aloneFor, type Lifecycle } from "../../entry/context.ts"
import { vmsOnDisksOf } from "../../entry/damaged.ts"
import type { Entry } from "../../entry/entry.ts"
import { recordEvent } from "../../entry/events.ts"
import type { WorkspaceId } from "../../entry/record.ts"
import { type Damaged, isDamaged } from "../../entry/registry.ts"
import { sleptThrough } from "../../entry/uses.ts"
import { isBusy } from "../../residents/open/entry-residents.ts"
import type { Transition } from "../engine/description.ts"
import { endedBy } from "../engine/ended.ts"
import { moveToTrash, removeTrashed } from "../engine/sweep.ts"
import { transit } from "../engine/transition.ts"
import { forget } from "./new-workspace.ts"

/** The end of a workspace's VM, announced as the end of the workspace. */
const deleting = (entry: Entry): Transition => ({
  name: "delete",
  entry,
  shows: "deleting",
  change: (record) => ({ ...record, phase: "deleting" }),
  // On a full disk the record stays, so the workspace ends only with its folder. After a crash before, it is unchanged.
  unwritten: "ignored",
  lose: endedBy("delete")
})

/** Removes the workspace with all its files, also on a full disk. The caller holds the workspace alone. */
const removeAlone = (lifecycle: Lifecycle, entry: Entry) =>
  Effect.andThen(transit(lifecycle, deleting(entry)), forget(lifecycle, entry)).pipe(Effect.uninterruptible)

/**
 * Removes the workspace when its present step has ended. Inspectors of its disk end first. They hold the workspace too, so this asks them
 * to end and then waits for the lock.
 */
export const remove = (lifecycle: Lifecycle, entry: Entry) =>
  removeAlone(lifecycle, entry).pipe(aloneFor(lifecycle, entry, "workspace.delete"), entry.deletion.during)

/** Ends the VMs on its disks and removes it. The next process finishes an interrupted removal. */
const removeDamaged = ({ registry }: Lifecycle, damaged: Damaged) =>
  Effect.suspend((): Effect.Effect<void, WorkspaceNotFound | NoSpace | StateDirectoryUnusable, Paths> => {
    const { folder, id } = damaged
    if (!registry.damaged.delete(id)) return Effect.fail(new WorkspaceNotFound({ workspace: id, similar: [] }))
    return Effect.gen(function*() {
      const vms = yield* vmsOnDisksOf([folder])
      // First, so that its VMs have no owner after an interruption.
      const aside = yield* moveToTrash(folder.directory).pipe(
        Effect.onError(() => Effect.sync(() => registry.damaged.set(id, damaged)))
      )
      yield* Effect.forEach(vms, endVm, { discard: true })
      yield* removeTrashed(aside)
    })
  }).pipe(Effect.uninterruptible)

/** The error says that the existing workspaces of the request are not deleted. */
const sayingNone = <A, E extends PyroError>(found: Effect.Effect<A, E>) =>
  Effect.mapError(
    found,
    (failure) =>
      failure._tag === "WorkspaceNotFound"
        ? new WorkspaceNotFound({ ...failure, others: "None of the named workspaces is deleted" })
        : failure
  )

/** A workspace that does not exist is left out. An ambiguous id is still an error. */
const orNone =
  <A, E extends PyroError, R>(work: (called: string) => Effect.Effect<ReadonlyArray<A>, E, R>) => (called: string) =>
    Effect.catchIf(work(called), ({ _tag }) => _tag === "WorkspaceNotFound", () => Effect.succeed<ReadonlyArray<A>>([]))

/** The workspaces to delete. Fails before the first deletion if one does not exist, unless the request allows that. */
const workspacesToDelete = (
  { registry: { lookUp, reachable } }: Lifecycle,
  payload: DeletePayload
) =>
  Effect.gen(function*() {
    if (payload.all) return [...yield* reachable.entries, ...(yield* reachable.damaged).values()]
    const one = (called: string) => Effect.map(lookUp(called), (found) => [found])
    const found = Effect.forEach(payload.workspaces, payload.ifExists === true ? orNone(one) : one)
    return [...new Set((yield* payload.workspaces.length > 1 ? sayingNone(found) : found).flat())]
  })

/** A deleted workspace, by the name that its user knows. */
interface Deleted {
  readonly id: WorkspaceId
  readonly name: string | undefined
}

/** Deletes one, and gives its description. */
const removeOne = (lifecycle: Lifecycle, one: Entry | Damaged) =>
  isDamaged(one)
    ? Effect.as(removeDamaged(lifecycle, one), { id: one.id, name: undefined })
    : Effect.gen(function*() {
      const { name } = yield* one.record.now
      yield* remove(lifecycle, one)
      return { id: one.id, name }
    })

/** A line of the daemon's log: the workspace's own events go with the workspace. */
const logDeletion = ({ id, name }: Deleted, { all }: DeletePayload) =>
  Effect.logInfo(
    `${id}${name === undefined ? "" : ` (${name})`} is deleted: a request named ${all ? "all workspaces" : "it"}`
  )

/** Deletes several, and gives their descriptions. A failure does not stop the others. */
export const removeAll = (lifecycle: Lifecycle, payload: DeletePayload) =>
  Effect.gen(function*() {
    const results = yield* Effect.forEach(
      yield* workspacesToDelete(lifecycle, payload),
      (one) =>
        removeOne(lifecycle, one).pipe(
          Effect.tap((deleted) => logDeletion(deleted, payload)),
          Effect.map((deleted): ReadonlyArray<Deleted> => [deleted]),
          Effect.catchIf(
            (failure) => (payload.all || payload.ifExists === true) && failure._tag === "WorkspaceNotFound",
            () => Effect.succeed([])
          ),
          Effect.result
        ),
      { concurrency: 4 }
    )
    return (yield* Effect.forEach(results, Effect.fromResult)).flat()
  })

/** Costs nothing for the others: most workspaces have no time to live. */
const mayExpire = ({ record }: Entry) => record.get().ttlSeconds !== undefined

/** Makes an Effect that deletes expired workspaces. A workspace in a lifecycle step is checked again the next time. */
export const makeExpiry = (lifecycle: Lifecycle, absences: Absences) =>
  Effect.flatMap(absences.since(), (absentMs) => expire(lifecycle, absentMs))

const expire = (lifecycle: Lifecycle, absentMs: number) =>
  Effect.forEach([...lifecycle.registry.entries.values()].filter(mayExpire), (entry) =>
    Effect.gen(function*() {
      const record = yield* entry.record.now
      if (record.ttlSeconds === undefined || !lifecycle.registry.entries.has(entry.id)) return
      if (sleptThrough(absentMs, record.ttlSeconds) || (yield* isBusy(entry))) return yield* touch(entry.folder)
      const at = lastActivity(entry.folder, record).getTime() + record.ttlSeconds * 1000
      if ((yield* nowMs) < at) return
      yield* recordEvent(entry.folder.directory, { _tag: "expired", ttlSeconds: record.ttlSeconds })
      yield* removeAlone(lifecycle, entry)
      const called = record.name === undefined ? "" : ` (${record.name})`
      yield* Effect.logInfo(
        `${entry.id}${called} is deleted: it was not used for ${record.ttlSeconds} s, its time to live`
      )
    }).pipe(
      entry.lifecycleLock.holdIfFree,
      Effect.catchCause((cause) => Effect.logWarning(`${entry.id} has expired and cannot be deleted`, cause))
    ), { discard: true })
