import { Effect, Option, Schema } from "effect"
import * as path from "node:path"
import {
  type IdAmbiguous,
  type NoSpace,
  SnapshotNotFound,
  StateDirectoryUnusable,
  type StateTooNew
} from "../../../contract/errors/errors.ts"
import type { SnapshotInfo } from "../../../contract/rows/workspace-snapshot.ts"
import { similarTo } from "../../../contract/text/similar.ts"
import { type Frozen, frozenIn, MachineIdentity, MachineSpec } from "../../../lib/vm/model/machine.ts"
import { memoryBytes } from "../../../lib/vm/model/memory-image.ts"
import { isObject, readVersioned, type Upgrades, writeJsonAtomic } from "../../../system/files/atomic-file.ts"
import { hostBootId } from "../../../system/processes/identity.ts"
import { displayName, type Entry } from "../../entry/entry.ts"
import { begunBy, onlyOne } from "../../entry/prefix.ts"
import { unwritten, type WorkspaceFolder } from "../../entry/record.ts"
import { demandReadable, describeStates, noStates, ResidentStates, tooNew } from "../../entry/resident.ts"
import { residentKinds } from "../../residents/open/kinds.ts"
import { holdsSecrets } from "../../residents/secret/secret-file.ts"
import { snapshotNames } from "./recorded.ts"

/** State of a workspace at one moment. The folder beside it has the files. */
export const Captured = Schema.Struct({
  takenAtMs: Schema.Number,
  /** Absent for a snapshot of the disk alone. */
  memory: Schema.optional(
    Schema.Struct({
      spec: MachineSpec,
      identity: MachineIdentity,
      pauseMs: Schema.Number
    })
  ),
  /** Residents of the memory. Empty without a memory. */
  residents: ResidentStates,
  /** Layers of its disk, all without a writer. */
  layers: Schema.Int
})
export type Captured = typeof Captured.Type

/** A snapshot's record, on disk before its other files. `ready`: all files are there. */
const SnapshotRecord = Schema.Struct({
  format: Schema.Literal(2),
  name: Schema.String,
  phase: Schema.Literals(["creating", "ready"]),
  createdAt: Schema.String,
  /** Boot of the host at the snapshot's creation: files that are not durable do not outlive this boot. */
  hostBoot: Schema.String,
  durable: Schema.Boolean,
  /** The candidate of a try whose state it has. */
  candidate: Schema.optional(Schema.String),
  captured: Schema.optional(Captured)
}).pipe(Schema.encodeKeys({ captured: "taken" }))
type SnapshotRecord = typeof SnapshotRecord.Type

/** State of one resident in format 1, which knew commands only. */
const execsOf = (commands: unknown) => ({ execs: { format: 1, state: commands } })

const upgrades: Upgrades = [
  ({ taken, ...same }) => {
    if (!isObject(taken)) return { ...same, format: 2 }
    if (!isObject(taken["memory"])) return { ...same, format: 2, taken: { ...taken, residents: noStates } }
    const { commands, ...memory } = taken["memory"]
    return { ...same, format: 2, taken: { ...taken, memory, residents: execsOf(commands) } }
  }
]

/** A complete snapshot. */
export interface Snapshot {
  readonly folder: CaptureFolder
  readonly record: SnapshotRecord & { readonly captured: Captured }
}

/** Paths of a snapshot's parts. */
export interface CaptureFolder {
  readonly directory: string
  readonly record: string
  readonly frozen: Frozen
  /** Seed image and layers, named as in a workspace's disk. */
  readonly disk: string
  /** Output of the commands that ran. */
  readonly logs: string
}

export const captureFolder = (directory: string): CaptureFolder => ({
  directory,
  record: path.join(directory, "record.json"),
  frozen: frozenIn(directory),
  disk: path.join(directory, "disk"),
  logs: path.join(directory, "logs")
})

export const snapshotFolder = (folder: WorkspaceFolder, name: string) =>
  captureFolder(path.join(folder.snapshots, name))

export const announced = (name: string, createdAt: string): SnapshotRecord => ({
  format: 2,
  name,
  phase: "creating",
  createdAt,
  hostBoot: hostBootId(),
  durable: false
})

export const writeSnapshot = (
  workspace: WorkspaceFolder,
  folder: CaptureFolder,
  record: SnapshotRecord,
  options: { readonly durable?: boolean } = {}
) =>
  writeJsonAtomic(folder.record, SnapshotRecord, record, options).pipe(
    Effect.mapError(unwritten(workspace))
  )

const read = (
  folder: WorkspaceFolder,
  name: string
): Effect.Effect<Option.Option<Snapshot>, StateDirectoryUnusable | StateTooNew> => {
  const files = snapshotFolder(folder, name)
  const place = { workspace: path.basename(folder.directory), snapshot: name, path: files.record }
  return readVersioned(files.record, { schema: SnapshotRecord, upgrades }).pipe(
    Effect.catchTag("FormatTooNew", tooNew(place)),
    Effect.tap(Option.match({
      onNone: () => Effect.void,
      onSome: ({ captured }) => Effect.fromResult(demandReadable(residentKinds, place, captured?.residents ?? noStates))
    })),
    Effect.catchTag("FileFailed", ({ detail, path }) => new StateDirectoryUnusable({ path, detail })),
    Effect.map(Option.flatMap((record) =>
      record.phase === "ready" && record.captured !== undefined
        ? Option.some({ folder: files, record: { ...record, captured: record.captured } })
        : Option.none()
    ))
  )
}

/** The snapshots of a workspace, oldest first, without those whose record is damaged or too new. */
export const readSnapshots = (
  folder: WorkspaceFolder
): Effect.Effect<ReadonlyArray<Snapshot>, NoSpace | StateDirectoryUnusable> =>
  Effect.flatMap(
    snapshotNames(folder),
    (names) =>
      Effect.forEach(names, (name) =>
        Effect.catch(read(folder, name), (damage) =>
          Effect.as(Effect.logWarning(damage.message), Option.none())))
  ).pipe(
    Effect.map((all) =>
      all.flatMap(Option.toArray).sort((a, b) => a.record.createdAt.localeCompare(b.record.createdAt))
    )
  )

/**
 * The whole name of the only snapshot with this prefix, or the name itself. Creation and deletion take whole names only: a repeated
 * request with a prefix would otherwise mean another snapshot.
 */
export const wholeSnapshotName = (
  entry: Pick<Entry, "folder">,
  begun: string
): Effect.Effect<string, IdAmbiguous | NoSpace | StateDirectoryUnusable> =>
  Effect.flatMap(
    snapshotNames(entry.folder),
    (names) => Effect.map(onlyOne("snapshot", begun, begunBy(begun, names)), (whole) => whole ?? begun)
  )

/** A snapshot by its name. */
export const findSnapshot = (
  entry: Pick<Entry, "id" | "folder" | "record">,
  name: string
): Effect.Effect<Snapshot, SnapshotNotFound | NoSpace | StateDirectoryUnusable | StateTooNew> =>
  Effect.flatMap(
    read(entry.folder, name),
    Option.match({
      onSome: Effect.succeed,
      onNone: () =>
        Effect.gen(function*() {
          const similar = similarTo(name, yield* snapshotNames(entry.folder))
          return yield* new SnapshotNotFound({ workspace: yield* displayName(entry), snapshot: name, similar })
        })
    })
  )

export const snapshotInfo = ({ folder, record: { createdAt, durable, name, captured } }: Snapshot): SnapshotInfo => ({
  name,
  kind: captured.memory === undefined ? "disk" : "memory",
  createdAt,
  durable,
  memoryBytes: memoryBytes(folder.frozen.memoryPath, folder.frozen.statePath),
  layers: captured.layers,
  holdsSecrets: holdsSecrets(folder.directory),
  runningCommands: 0,
  ...describeStates(residentKinds, captured.residents),
  ...(captured.memory === undefined ? {} : { pauseMs: captured.memory.pauseMs })
})
