import { Effect, Ref } from "effect"
import { InvalidRequest, type PyroError, WorkspaceNotReady } from "../../contract/errors/errors.ts"
import { linkGrown, readWorkspaceDisk } from "../../disk/workspace-disk.ts"
import { faultPoint } from "../../system/waits/fault.ts"
import { commit, discardFolder, endUnattached, type LifecycleServices, removeFolder } from "../entry/context.ts"
import { displayName, type Entry } from "../entry/entry.ts"
import { virtualBytesOf } from "../entry/record.ts"

/** Fails unless the disk of the workspace can grow to this size now. */
export const demandGrowth = (entry: Entry, diskMib: number): Effect.Effect<void, InvalidRequest | WorkspaceNotReady> =>
  Effect.gen(function*() {
    const record = yield* Ref.get(entry.record)
    if (diskMib < record.diskMib) {
      const detail = `is less than the ${record.diskMib} MiB of the disk, and a disk never shrinks`
      return yield* new InvalidRequest({ field: "disk_mib", detail })
    }
    const { state } = yield* Ref.get(entry.state)
    if (diskMib > record.diskMib && state !== "stopped" && state !== "failed") {
      return yield* new WorkspaceNotReady({
        workspace: yield* displayName(entry),
        state,
        detail: "a disk grows only while no microVM has it; stop the workspace first",
        legalStates: ["stopped", "failed"]
      })
    }
  })

/**
 * Grows the disk of a workspace at rest: the same layers with a larger one on top, in a new folder. One durable write of the record
 * switches over; a crash before leaves the old folder, a crash after it the new one, and a sweep removes the other. The next mount grows
 * the file system. The caller holds the workspace alone.
 */
export const growDisk = (entry: Entry, diskMib: number): Effect.Effect<void, PyroError, LifecycleServices> =>
  Effect.gen(function*() {
    const record = yield* Ref.get(entry.record)
    if (diskMib === record.diskMib) return
    yield* endUnattached(entry)
    const next = record.disk + 1
    const [old, folder] = [entry.folder.disk(record.disk), entry.folder.disk(next)]
    const disk = yield* readWorkspaceDisk(old, virtualBytesOf(record))
    yield* removeFolder(folder)
    yield* linkGrown(disk, folder, virtualBytesOf({ diskMib })).pipe(
      Effect.tap(Effect.sync(() => faultPoint("grow:linked"))),
      Effect.andThen(commit(entry, (known) => ({ ...known, disk: next, diskMib }), { durable: true })),
      Effect.onError(() => discardFolder(folder))
    )
    faultPoint("grow:committed")
    yield* discardFolder(old)
  }).pipe(Effect.uninterruptible)
