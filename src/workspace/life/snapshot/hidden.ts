import { Effect, Ref, type Scope } from "effect"
import * as path from "node:path"
import { listIfPresent } from "../../../system/files/entries.ts"
import { nowIso } from "../../../system/waits/time.ts"
import { removeStaged } from "../../entry/context.ts"
import type { Entry } from "../../entry/entry.ts"
import { captureAs } from "./capture.ts"
import { announced, type Snapshot, snapshotFolder } from "./record.ts"

/** A snapshot that no request can name: its name has a leading dot. The next process removes it. */
export interface Hidden {
  /** The workspace that has it, which may be another than the one whose state it has. */
  readonly owner: Entry
  readonly name: string
  /** The candidate of a try that it is of. */
  readonly candidate?: string
  /** As in `capture`. */
  readonly shareIn?: Scope.Scope | undefined
}

/** Stores the present state of `from` as a hidden snapshot. A failure leaves nothing. Its caller has `from` alone. */
export const captureHidden = (from: Entry, { candidate, name, owner, shareIn }: Hidden) =>
  Effect.gen(function*() {
    const folder = snapshotFolder(owner.folder, name)
    const record = { ...announced(name, yield* nowIso), ...(candidate === undefined ? {} : { candidate }) }
    return yield* captureAs(from, owner.folder, { folder, record, shareIn }, Effect.void).pipe(
      Effect.onError(() => removeHidden({ folder }))
    )
  }).pipe(Effect.uninterruptible)

/** Removes a hidden snapshot. Never fails: the next process removes the rest. */
export const removeHidden = ({ folder: { directory } }: Pick<Snapshot, "folder">) =>
  removeStaged(path.dirname(directory), directory)

/** Removes the hidden snapshots of a workspace that an interrupted reset has not needed any more. */
export const removeUnused = (entry: Entry) =>
  Effect.gen(function*() {
    const { restoredFrom } = yield* Ref.get(entry.record)
    const { snapshots } = entry.folder
    const names = yield* Effect.orElseSucceed(listIfPresent(snapshots), (): ReadonlyArray<string> => [])
    const unused = names.filter((name) => name.startsWith(".") && name !== restoredFrom)
    yield* Effect.forEach(unused, (name) => removeStaged(snapshots, path.join(snapshots, name)), { discard: true })
  })
