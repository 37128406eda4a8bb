import { Effect, Option, Schema, Struct } from "effect"
import * as path from "node:path"
import {
  type NoSpace,
  SavedDamaged,
  SavedNotFound,
  type StateDirectoryUnusable
} from "../../../contract/errors/errors.ts"
import type { SavedInfo } from "../../../contract/rows/saved.ts"
import { similarTo } from "../../../contract/text/similar.ts"
import { callerProject, isReachable } from "../../../contract/wire/caller-project.ts"
import { callerTenant } from "../../../contract/wire/identity.ts"
import type { Seed } from "../../../lib/disk/workspace-disk.ts"
import { memoryBytes } from "../../../lib/vm/model/memory-image.ts"
import { readVersioned, writeJsonAtomic } from "../../../system/files/atomic-file.ts"
import { toHostErrorOf } from "../../../system/files/failure.ts"
import { Paths } from "../../../system/files/Paths.ts"
import { bytesBeneath } from "../../../system/files/usage.ts"
import { hostBootId } from "../../../system/processes/identity.ts"
import { virtualBytesOf, type WorkspaceRecord, WorkspaceRecord as WorkspaceSchema } from "../../entry/record.ts"
import { demandReadable, describeStates, noStates } from "../../entry/resident.ts"
import { residentKinds } from "../../residents/open/kinds.ts"
import { recordedGrant } from "../../residents/policy/policy.ts"
import { holdsSecrets } from "../../residents/secret/secret-file.ts"
import { savedDirectory, savedEntry, savedNames } from "./recorded.ts"
import { Captured, type CaptureFolder, captureFolder } from "./snapshot.ts"

/** What each workspace from a saved snapshot has from the workspace that was saved. */
const given = {
  environment: WorkspaceSchema.fields.environment,
  vcpuCount: WorkspaceSchema.fields.vcpuCount,
  memoryMib: WorkspaceSchema.fields.memoryMib,
  diskMib: WorkspaceSchema.fields.diskMib,
  driver: WorkspaceSchema.fields.driver,
  networkDriver: WorkspaceSchema.fields.networkDriver,
  requireConfinement: WorkspaceSchema.fields.requireConfinement,
  pauseAfterSeconds: WorkspaceSchema.fields.pauseAfterSeconds,
  seedPath: WorkspaceSchema.fields.seedPath,
  repoUrl: WorkspaceSchema.fields.repoUrl,
  repoRef: WorkspaceSchema.fields.repoRef,
  workspaceUser: WorkspaceSchema.fields.workspaceUser,
  user: WorkspaceSchema.fields.user,
  image: WorkspaceSchema.fields.image,
  env: WorkspaceSchema.fields.env,
  cwd: WorkspaceSchema.fields.cwd,
  project: WorkspaceSchema.fields.project
} as const

/**
 * A saved snapshot's record. It is on disk before the other files, without `captured`, and complete before its folder gets the snapshot's name.
 */
export const SavedRecord = Schema.Struct({
  format: Schema.Literal(1),
  /** Tells two snapshots apart that had the same name one after the other. */
  id: Schema.String,
  name: Schema.String,
  createdAt: Schema.String,
  /** Boot of the host at the creation: files that are not durable do not outlive this boot. */
  hostBoot: Schema.String,
  durable: Schema.Boolean,
  /** Name or id of the workspace. Absent for an imported snapshot. */
  from: Schema.optional(Schema.String),
  /** The guest's memory may have a network that is on: without a grant it is turned off. */
  hasNetwork: Schema.Boolean,
  /** An imported snapshot of a workspace with secrets: this host does not know the values. */
  hadSecrets: Schema.optional(Schema.Literal(true)),
  workspace: Schema.Struct(given),
  captured: Schema.optional(Captured)
})
export type SavedRecord = typeof SavedRecord.Type

/** A complete saved snapshot. */
export interface Saved {
  readonly folder: SavedFolder
  readonly record: SavedRecord & { readonly captured: Captured }
}

export interface SavedFolder extends CaptureFolder {
  /** Links to the images of its root. */
  readonly base: string
}

export const savedFolder = (directory: string): SavedFolder => ({
  ...captureFolder(directory),
  base: path.join(directory, "base")
})

/** The folder of a name of the caller's tenant. A name never begins with a dot. */
export const folderCalled = (name: string) =>
  Effect.zipWith(
    Paths,
    callerTenant,
    ({ stateDir }, tenant) => savedFolder(path.join(savedDirectory(stateDir), savedEntry(tenant, name)))
  )

/** The record that announces a saved snapshot. */
export const announced = (
  source: WorkspaceRecord,
  { createdAt, id, name }: Pick<SavedRecord, "createdAt" | "id" | "name">
): SavedRecord => ({
  format: 1,
  id,
  name,
  createdAt,
  hostBoot: hostBootId(),
  durable: false,
  from: source.name ?? source.id,
  hasNetwork: recordedGrant(source) !== undefined,
  workspace: Struct.pick(source, Object.keys(given) as Array<keyof typeof given>)
})

export const writeSaved = (folder: SavedFolder, record: SavedRecord, options: { readonly durable?: boolean } = {}) =>
  writeJsonAtomic(folder.record, SavedRecord, record, options).pipe(Effect.mapError(toHostErrorOf(folder.directory)))

/** The saved snapshot in a folder. None for a folder without one. */
export const readSaved = (folder: SavedFolder): Effect.Effect<Option.Option<Saved>, SavedDamaged> => {
  const name = path.basename(folder.directory)
  const place = { workspace: name, path: folder.record }
  return Effect.gen(function*() {
    const read = yield* readVersioned(folder.record, { schema: SavedRecord, upgrades: [] })
    if (Option.isNone(read) || read.value.captured === undefined) return Option.none()
    const { captured } = read.value
    yield* Effect.fromResult(demandReadable(residentKinds, place, captured.residents))
    return Option.some({ folder, record: { ...read.value, captured } })
  }).pipe(
    Effect.mapError((failure) =>
      new SavedDamaged({
        saved: name,
        detail: failure._tag === "FileFailed" ? failure.message : "a newer pyro wrote its record"
      })
    )
  )
}

/** Whether the request may reach a saved snapshot: as with workspaces, one of its project. The project of a damaged record is unknown. */
export const isWithinReach = (record: Pick<SavedRecord, "workspace"> | undefined): Effect.Effect<boolean> =>
  Effect.map(callerProject, (caller) => isReachable(caller, record?.workspace ?? {}))

/** The saved snapshots that the request may reach, oldest first, without those whose record is damaged. */
export const readAllSaved: Effect.Effect<
  ReadonlyArray<Saved>,
  NoSpace | StateDirectoryUnusable,
  Paths
> = Effect.gen(function*() {
  const all = yield* Effect.forEach(yield* savedNames, (name) =>
    Effect.flatMap(folderCalled(name), readSaved).pipe(
      Effect.catch((damage) => Effect.as(Effect.logWarning(damage.message), Option.none<Saved>()))
    ))
  const reachable = yield* Effect.filter(all.flatMap(Option.toArray), ({ record }) => isWithinReach(record))
  return reachable.sort((a, b) => a.record.createdAt.localeCompare(b.record.createdAt))
})

/** A saved snapshot by its name. */
export const findSaved = (
  name: string
): Effect.Effect<Saved, SavedNotFound | SavedDamaged | NoSpace | StateDirectoryUnusable, Paths> =>
  Effect.gen(function*() {
    const found = yield* Effect.flatMap(folderCalled(name), readSaved)
    if (Option.isSome(found) && (yield* isWithinReach(found.value.record))) return found.value
    const names = (yield* readAllSaved).map(({ record }) => record.name)
    return yield* new SavedNotFound({ saved: name, similar: similarTo(name, names) })
  })

/** The seed image of a saved snapshot's disk. */
export const seedOfSaved = ({ folder, record }: Saved): Seed => ({
  path: path.join(folder.disk, "seed.ext4"),
  virtualBytes: virtualBytesOf(record.workspace)
})

export const savedInfo = ({ folder, record }: Saved): SavedInfo => {
  const { captured, createdAt, durable, from, name, workspace } = record
  return {
    name,
    kind: captured.memory === undefined ? "disk" : "memory",
    createdAt,
    durable,
    ...(from === undefined ? {} : { from }),
    environment: workspace.environment.name,
    driver: workspace.driver ?? "qemu",
    vcpuCount: workspace.vcpuCount,
    memoryMib: workspace.memoryMib,
    diskMib: workspace.diskMib,
    memoryBytes: memoryBytes(folder.frozen.memoryPath, folder.frozen.statePath),
    diskBytes: bytesBeneath(folder.disk),
    holdsSecrets: holdsSecrets(folder.directory) || record.hadSecrets === true,
    runningCommands: describeStates(residentKinds, captured.residents ?? noStates).runningCommands ?? 0
  }
}
