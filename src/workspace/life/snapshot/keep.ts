import { Effect, Option } from "effect"
import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { type NoSpace, SnapshotExists, type StateDirectoryUnusable } from "../../../contract/errors/errors.ts"
import type { SnapshotInfo } from "../../../contract/rows/workspace-snapshot.ts"
import { demandPlain } from "../../../lib/redaction/redact.ts"
import { syncFile } from "../../../system/files/atomic-file.ts"
import { readIfReadable } from "../../../system/files/content.ts"
import { exists, listIfPresent, renameFile } from "../../../system/files/entries.ts"
import { attempt, toHostError } from "../../../system/files/failure.ts"
import { hostBootId } from "../../../system/processes/identity.ts"
import { faultPoint } from "../../../system/waits/fault.ts"
import { nowIso } from "../../../system/waits/time.ts"
import { touch } from "../../entry/activity.ts"
import { discardFolder, type Notify, progress, removeFolder } from "../../entry/context.ts"
import { displayName, type Entry } from "../../entry/entry.ts"
import { recordEvent } from "../../entry/events.ts"
import { neededSnapshot } from "../../entry/interrupted.ts"
import { unwritten, type WorkspaceFolder } from "../../entry/record.ts"
import { guardOf } from "../../residents/open/entry-residents.ts"
import {
  announced,
  type CaptureFolder,
  findSnapshot,
  readSnapshots,
  type Snapshot,
  snapshotFolder,
  snapshotInfo,
  writeSnapshot
} from "../records/snapshot.ts"
import { triedSnapshots } from "../records/tried.ts"
import { captureAs } from "./capture.ts"

/** A removal first hides the snapshot, and then frees its files. */
const removeSnapshot = (workspace: WorkspaceFolder, folder: CaptureFolder) =>
  Effect.gen(function*() {
    const gone = path.join(workspace.snapshots, `.${randomBytes(8).toString("hex")}`)
    yield* Effect.mapError(renameFile(folder.directory, gone), unwritten(workspace))
    faultPoint("snapshot-delete:hidden")
    yield* discardFolder(gone)
  })

/** Stores the present state of a workspace under a name. A failure leaves nothing. Its caller has the workspace alone. */
export const createSnapshot = (entry: Entry, name: string, notify: Notify) =>
  Effect.gen(function*() {
    const workspace = entry.folder
    yield* demandPlain(yield* guardOf(entry, {}), { name })
    const folder = snapshotFolder(workspace, name)
    if (exists(folder.directory)) {
      return yield* new SnapshotExists({ workspace: yield* displayName(entry), snapshot: name })
    }
    const record = announced(name, yield* nowIso)
    const onAnnounced = Effect.suspend(() => {
      faultPoint("snapshot:announced")
      return progress(notify, "copying the workspace", 0.2)
    })
    const made = yield* captureAs(entry, workspace, { folder, record }, onAnnounced).pipe(
      Effect.tap(Effect.sync(() => faultPoint("snapshot:committed"))),
      Effect.onError(() => Effect.ignoreCause(removeSnapshot(workspace, folder)))
    )
    yield* recordEvent(workspace.directory, {
      _tag: "snapshot",
      name,
      memory: made.record.captured.memory !== undefined
    })
    yield* touch(workspace)
    yield* keepForGood(entry, made)
    return snapshotInfo(made)
  }).pipe(Effect.uninterruptible)

/** Makes a snapshot durable in the background, and reports the result to later readers. */
const keepForGood = (entry: Entry, { folder, record }: Snapshot) =>
  Effect.gen(function*() {
    const files = yield* attempt("scandir", folder.directory, () => filesBeneath(folder.directory))
    for (const file of files) yield* syncFile(file)
    for (const file of [entry.folder.record, entry.folder.directory]) yield* syncFile(file)
    yield* writeSnapshot(entry.folder, folder, { ...record, durable: true }, { durable: true })
    yield* syncFile(folder.record)
  }).pipe(
    // Also because a deletion is removing it.
    Effect.catch((failure) => Effect.logDebug(`snapshot ${record.name} is not durable: ${failure.message}`)),
    Effect.forkIn(entry.scope),
    Effect.asVoid
  )

/** Paths of all files in a folder and the folders in it. */
export const filesBeneath = (folder: string): ReadonlyArray<string> =>
  fs.readdirSync(folder, { withFileTypes: true }).flatMap((one) => {
    const file = path.join(folder, one.name)
    return one.isDirectory() ? filesBeneath(file) : [file]
  })

export const listSnapshots = (
  entry: Entry
): Effect.Effect<ReadonlyArray<SnapshotInfo>, NoSpace | StateDirectoryUnusable> =>
  Effect.map(readSnapshots(entry.folder), (all) => all.map(snapshotInfo))

/** Deletes a snapshot, also one with a damaged record. Its caller has the workspace alone. */
export const deleteSnapshot = (entry: Entry, name: string) =>
  Effect.gen(function*() {
    const { folder } = yield* findSnapshot(entry, name).pipe(
      // Its record is damaged or too new: it can still be removed.
      Effect.catchTags({
        StateDirectoryUnusable: () => Effect.succeed({ folder: snapshotFolder(entry.folder, name) }),
        StateTooNew: () => Effect.succeed({ folder: snapshotFolder(entry.folder, name) })
      })
    )
    yield* removeSnapshot(entry.folder, folder)
    yield* recordEvent(entry.folder.directory, { _tag: "snapshot_delete", name })
    return name
  }).pipe(Effect.uninterruptible)

/** After a crash: removes half-made and half-removed snapshots, and makes the others durable. */
export const adoptSnapshots = (entry: Entry) =>
  Effect.gen(function*() {
    const { compared, snapshots, staged } = entry.folder
    const whole = yield* readSnapshots(entry.folder)
    const kept = new Set(whole.map(({ record }) => record.name))
    const there = yield* Effect.mapError(listIfPresent(snapshots), toHostError)
    const needed = neededSnapshot(yield* entry.record.now)
    const tried = triedSnapshots(entry.folder.directory)
    // An interrupted reset to a hidden snapshot still needs its residents.
    const halves = there.filter((name) => !kept.has(name) && name !== needed && !tried.has(name))
      .map((name) => path.join(snapshots, name))
    // A snapshot with a damaged record may still be useful.
    const damaged = halves.filter((file) => exists(path.join(file, "record.json")) && !isAnnounced(file))
    for (const file of [...halves.filter((one) => !damaged.includes(one)), staged, compared]) {
      yield* removeFolder(file)
    }
    for (const one of whole) {
      if (!one.record.durable && one.record.hostBoot === hostBootId()) yield* keepForGood(entry, one)
    }
  })

const isAnnounced = (folder: string) =>
  path.basename(folder).startsWith(".") ||
  Option.getOrElse(
    Option.liftThrowable(() =>
      (JSON.parse(readIfReadable(path.join(folder, "record.json")) ?? "null") as { readonly phase?: unknown }).phase ===
        "creating"
    )(),
    () => false
  )
