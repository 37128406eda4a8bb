import { Effect } from "effect"
import { randomBytes } from "node:crypto"
import * as path from "node:path"
import type { WorkspaceNotFound } from "../../../contract/errors/errors.ts"
import type { ComparePayload } from "../../../contract/rows/workspace-diff.ts"
import { shareLayers } from "../../../lib/disk/workspace-disk.ts"
import { copyPushed } from "../../../lib/seeding/model/pushed.ts"
import { ensureFolder } from "../../../system/files/entries.ts"
import { faultPoint } from "../../../system/waits/fault.ts"
import { alone, type Lifecycle, removeStaged, unlessDeleted } from "../../entry/context.ts"
import type { Entry } from "../../entry/entry.ts"
import { unwritten } from "../../entry/record.ts"
import { isAtRest } from "../../life/read/reader.ts"
import { captureFolder, findSnapshot, wholeSnapshotName } from "../../life/records/snapshot.ts"
import { wakeFor } from "../../life/verbs/pause.ts"
import type { Changes, ChangesOptions } from "../diff/changes.ts"
import { changesOptions, differenceResult } from "../diff/diff.ts"
import { differencesOf, restingSide, workspaceSide } from "./differences.ts"

/** Named side: a workspace in its current state, or one of its snapshots. */
interface Operand {
  readonly entry: Entry
  readonly snapshot: string | undefined
}

const operandOf = ({ registry }: Lifecycle, text: string) =>
  Effect.gen(function*() {
    const [workspace = "", name] = text.split("@")
    const entry = yield* registry.find(workspace)
    const snapshot = name === undefined ? undefined : yield* wholeSnapshotName(entry, name)
    if (snapshot !== undefined) yield* findSnapshot(entry, snapshot)
    return { entry, snapshot } satisfies Operand
  })

/** A side. It opens after the locks of all workspaces that do not run. */
type Opening = ReturnType<typeof restingSide | typeof workspaceSide>

/** Links to a snapshot's disk and pushed files, so that a deletion of the snapshot does not disturb the comparison. */
const stageSnapshot = (lifecycle: Lifecycle, entry: Entry, name: string) =>
  Effect.gen(function*() {
    const directory = path.join(entry.folder.compared, randomBytes(8).toString("hex"))
    yield* Effect.addFinalizer(() => removeStaged(entry.folder.compared, directory))
    const staged = captureFolder(directory)
    yield* Effect.gen(function*() {
      const { folder, record: { captured } } = yield* findSnapshot(entry, name)
      yield* Effect.mapError(ensureFolder(directory), unwritten(entry.folder))
      yield* shareLayers(folder.disk, staged.disk, captured.layers)
      yield* copyPushed(folder.directory, directory)
    }).pipe(alone(lifecycle, entry))
    faultPoint("compare:staged")
    return staged
  })

/** Locks workspaces, so that none starts meanwhile. All requests lock them in the same order. */
const locking = (lifecycle: Lifecycle, entries: ReadonlySet<Entry>) => <A, E, R>(work: Effect.Effect<A, E, R>) =>
  [...entries].sort((one, other) => one.id < other.id ? 1 : -1).reduce(
    (locked: Effect.Effect<A, E | WorkspaceNotFound, R>, entry) => alone(lifecycle, entry)(locked),
    work
  )

const nothing: Changes = {
  changes: [],
  oversized: [],
  missing: [],
  mounted: [],
  nested: [],
  ignoredCount: 0,
  defaultRules: [],
  specialCount: 0
}

/**
 * The changes that turn the files of one workspace or snapshot into those of another. Reads a running workspace in its own VM, and any
 * other in an inspector, while that workspace cannot start. Changes nothing.
 */
export const compare = (
  lifecycle: Lifecycle,
  payload: ComparePayload
) =>
  Effect.scoped(Effect.gen(function*() {
    const options = yield* changesOptions(payload)
    const from = yield* operandOf(lifecycle, payload.from)
    const to = yield* operandOf(lifecycle, payload.to)
    if (from.entry === to.entry && from.snapshot === to.snapshot) return yield* differenceResult(nothing, payload)
    const changes = yield* between(lifecycle, [from, to], options).pipe(
      unlessDeleted(lifecycle, from.entry),
      unlessDeleted(lifecycle, to.entry)
    )
    return yield* differenceResult(changes, payload)
  }))

const between = (lifecycle: Lifecycle, sides: ReadonlyArray<Operand>, options: ChangesOptions) =>
  Effect.gen(function*() {
    const locked = new Set<Entry>()
    const openings: Array<Opening> = []
    for (const { entry, snapshot } of sides) {
      if (snapshot !== undefined) {
        // Before any lock, because this step locks its workspace itself.
        openings.push(restingSide(entry, yield* stageSnapshot(lifecycle, entry, snapshot)))
        continue
      }
      yield* wakeFor(lifecycle, entry, "workspace.compare")
      if (yield* isAtRest(entry)) locked.add(entry)
      openings.push(Effect.suspend(() => workspaceSide(entry, locked.has(entry))))
    }
    return yield* Effect.scoped(Effect.gen(function*() {
      const [one, other] = yield* Effect.all(openings)
      return yield* differencesOf(one!, other!, options)
    })).pipe(locking(lifecycle, locked))
  })
