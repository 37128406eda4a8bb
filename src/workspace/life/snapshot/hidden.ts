import { Effect, type Scope } from "effect"
import * as path from "node:path"
import { listIfPresent } from "../../../system/files/entries.ts"
import { nowIso, nowMs } from "../../../system/waits/time.ts"
import { type Lifecycle, removeStaged } from "../../entry/context.ts"
import type { Entry } from "../../entry/entry.ts"
import { neededSnapshot } from "../../entry/interrupted.ts"
import { residentsOf } from "../../residents/open/entry-residents.ts"
import { announced, type Snapshot, snapshotFolder } from "../records/snapshot.ts"
import { isOver, readTried, removeTried, triedSnapshots } from "../records/tried.ts"
import { captureAs } from "./capture.ts"

/** A snapshot that no request can name: its name has a leading dot. The next process removes it. */
export interface Hidden {
  /** The workspace that has it, which may be another than the one whose state it has. */
  readonly owner: Entry
  readonly name: string
  /** The candidate of a try whose state the snapshot has. */
  readonly candidate?: string
  /** As in `capture`. */
  readonly shareIn?: Scope.Scope | undefined
  /** The disk alone, with the services that start again on it. @default the memory too, of a running workspace */
  readonly diskOnly?: boolean
}

/** Stores the present state of `from` as a hidden snapshot. A failure leaves nothing. Its caller has `from` alone. */
export const captureHidden = (from: Entry, { candidate, diskOnly = false, name, owner, shareIn }: Hidden) =>
  Effect.gen(function*() {
    const folder = snapshotFolder(owner.folder, name)
    const record = { ...announced(name, yield* nowIso), ...(candidate === undefined ? {} : { candidate }) }
    return yield* captureAs(from, owner.folder, {
      folder,
      record,
      shareIn,
      onDisk: diskOnly ? (yield* residentsOf(from, "workspace.snapshot.create")).services.declared() : undefined
    }, Effect.void).pipe(
      Effect.onError(() => removeHidden({ folder }))
    )
  }).pipe(Effect.uninterruptible)

/** Removes a hidden snapshot. Never fails: the next process removes the rest. */
export const removeHidden = ({ folder: { directory } }: Pick<Snapshot, "folder">) =>
  removeStaged(path.dirname(directory), directory)

/** Removes the hidden snapshots of a workspace that neither an interrupted reset nor a candidate of the last try needs. */
export const removeUnused = (entry: Entry) =>
  Effect.gen(function*() {
    const needed = neededSnapshot(yield* entry.record.now)
    const { directory, snapshots } = entry.folder
    const tried = triedSnapshots(directory)
    const names = yield* Effect.orElseSucceed(listIfPresent(snapshots), (): ReadonlyArray<string> => [])
    const unused = names.filter((name) => name.startsWith(".") && name !== needed && !tried.has(name))
    yield* Effect.forEach(unused, (name) => removeStaged(snapshots, path.join(snapshots, name)), { discard: true })
  })

/** Removes the candidates of tries that have stayed for their time. A workspace in a lifecycle step is looked at the next time. */
export const removeOverTries = ({ registry }: Lifecycle) =>
  Effect.forEach([...registry.entries.values()], (entry) =>
    Effect.gen(function*() {
      const tried = readTried(entry.folder.directory)
      if (tried === undefined || !isOver(tried, yield* nowMs)) return
      yield* removeTried(entry)
    }).pipe(entry.lifecycleLock.holdIfFree, Effect.ignoreCause), { discard: true })
