import { Effect, Either, Option, Schema } from "effect"
import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import type { StateTooNew } from "../../contract/errors.ts"
import { byName } from "../../contract/names.ts"
import { syncFile, writeJsonAtomic } from "../../system/atomic-file.ts"
import { FileFailed } from "../../system/files/failure.ts"
import { toHostErrorOf } from "../../system/files/host-error.ts"
import { nowMs } from "../../system/time.ts"
import { readVersioned, type Upgrades } from "../../system/versioned.ts"
import { VmId } from "../../vm/record/record.ts"
import { residentKinds } from "../residents/kinds.ts"
import { demandReadable, noStates, ResidentStates, tooNew } from "../residents/states.ts"

export const WorkspaceId = Schema.String.pipe(Schema.pattern(/^ws-[0-9a-f]{10}$/), Schema.brand("WorkspaceId"))
export type WorkspaceId = typeof WorkspaceId.Type
export const isWorkspaceId = Schema.is(WorkspaceId)

export const newWorkspaceId = (): WorkspaceId => WorkspaceId.make(`ws-${randomBytes(5).toString("hex")}`)

/**
 * What a workspace is, on disk. It is written before the side effects that it announces: `creating` and `deleting` say that the
 * rest may be half there, and whoever finds them after a crash removes the whole. In between the record names the one disk and the
 * one VM that count; any other of the workspace is a leftover. One rename switches from a generation to the next.
 */
export const WorkspaceRecord = Schema.Struct({
  format: Schema.Literal(3),
  id: WorkspaceId,
  phase: Schema.Literal("creating", "running", "stopped", "deleting"),
  name: Schema.optional(Schema.String),
  labels: byName(Schema.String),
  environment: Schema.Struct({ name: Schema.String, digest: Schema.String }),
  /** Counts the VMs. */
  generation: Schema.Int,
  /** The VM of this generation, when it runs. */
  vm: Schema.optional(VmId),
  /** Counts the disks: every reset begins a new one. */
  disk: Schema.Int,
  vcpuCount: Schema.Int,
  memoryMib: Schema.Int,
  diskMib: Schema.Int,
  requireConfinement: Schema.optional(Schema.Literal("namespaces", "namespaces+uid")),
  ttlSeconds: Schema.optional(Schema.Int),
  seedPath: Schema.optional(Schema.String),
  repoUrl: Schema.optional(Schema.String),
  repoRef: Schema.optional(Schema.String),
  /** Who owns /workspace, and runs commands that name no user. */
  workspaceUser: Schema.Literal("root", "agent"),
  /** The project that it was made for: real path of a directory of the host, or what a server bound to none has instead. */
  project: Schema.optional(Schema.String),
  /** What its residents keep here; each resident's own Schema reads the resident's state. */
  residents: ResidentStates,
  /** The residents are still those of the disk before: a reset was cut short. */
  staleResidents: Schema.optional(Schema.Boolean),
  /** The snapshot that the residents are to take over: a reset was cut short. */
  restoredFrom: Schema.optional(Schema.String),
  /** Of which workspace it is a fork, and of which snapshot of that one. */
  forkedFrom: Schema.optional(
    Schema.Struct({ workspace: WorkspaceId, snapshot: Schema.optional(Schema.String) })
  ),
  /** ISO 8601. */
  createdAt: Schema.String.pipe(
    Schema.filter((text) => !Number.isNaN(Date.parse(text)), { message: () => "must be a date" })
  )
})
export type WorkspaceRecord = typeof WorkspaceRecord.Type

/** Format 1 knew commands alone, and kept them in the journal. In format 2 root owned every /workspace. */
const upgrades: Upgrades = [
  ({ staleCommands, ...same }) => ({
    ...same,
    format: 2,
    residents: noStates,
    ...(staleCommands === undefined ? {} : { staleResidents: staleCommands })
  }),
  (same) => ({ ...same, format: 3, workspaceUser: "root" })
]

export const virtualBytesOf = ({ diskMib }: Pick<WorkspaceRecord, "diskMib">) => diskMib * 1024 * 1024

/** The format of the records that this pyro writes. */
export const RECORD_FORMAT = 3 as const

/** Where the parts of one workspace are on the host. */
export interface WorkspaceFolder {
  readonly directory: string
  readonly record: string
  /** An empty file whose time of last change is the workspace's last activity. */
  readonly activity: string
  /** Journal of commands, a JSON document per line. */
  readonly journal: string
  /** Their output, a file each. */
  readonly logs: string
  /** Images that its root is made of, held so that they outlive the cache. */
  readonly base: string
  readonly disk: (number: number) => string
  /** Its snapshots, a folder each. */
  readonly snapshots: string
  /** What forks are made from, while they are made. */
  readonly staged: string
  /** Snapshots of it that are being compared, a folder for each time. */
  readonly compared: string
}

export const workspacesDirectory = (stateDir: string) => path.join(stateDir, "workspaces")

export const folderOf = (stateDir: string, id: WorkspaceId): WorkspaceFolder => {
  const directory = path.join(workspacesDirectory(stateDir), id)
  return {
    directory,
    record: path.join(directory, "record.json"),
    activity: path.join(directory, "activity"),
    journal: path.join(directory, "commands.jsonl"),
    logs: path.join(directory, "logs"),
    base: path.join(directory, "base"),
    disk: (number) => path.join(directory, `disk-${number}`),
    snapshots: path.join(directory, "snapshots"),
    staged: path.join(directory, "staged"),
    compared: path.join(directory, "compared")
  }
}

/** Why something in a folder of the state directory, such as a workspace's, could not be written. */
export const unwritten = ({ directory }: Pick<WorkspaceFolder, "directory">) => toHostErrorOf(directory)

export interface WriteWorkspaceOptions {
  /** Waits until it is on disk. @default false */
  readonly durable?: boolean
  /** Has it written to disk a moment later, where nobody waits for that. @default true */
  readonly flush?: boolean
}

/** After the step that the record belongs to: its own file operations would wait for the disk too. */
const flushAfter = "100 millis"

/**
 * Writes a record. It survives this process at once, and a power cut a moment later: a create does not wait for the disk, and what a
 * power cut would undo of it ran in a VM that it ends as well.
 */
export const writeWorkspace = (folder: WorkspaceFolder, record: WorkspaceRecord, options: WriteWorkspaceOptions = {}) =>
  writeJsonAtomic(folder.record, WorkspaceRecord, record, options).pipe(
    Effect.mapError(unwritten(folder)),
    Effect.zipLeft(
      options.durable === true || options.flush === false
        ? Effect.void
        : syncFile(folder.record).pipe(Effect.delay(flushAfter), Effect.ignore, Effect.forkDaemon)
    )
  )

/**
 * None where only the folder was made. Fails where a newer pyro wrote the record, or where the record is damaged, is another workspace's,
 * or is gone.
 */
export const readWorkspace = (
  folder: WorkspaceFolder
): Effect.Effect<Option.Option<WorkspaceRecord>, FileFailed | StateTooNew> => {
  const id = path.basename(folder.directory)
  const place = { workspace: id, path: folder.record }
  const damaged = (wrong: string) =>
    Either.left(new FileFailed({ operation: "decode", path: folder.record, detail: `it is damaged (${wrong})` }))
  const read = Effect.catchTag(
    readVersioned(folder.record, { schema: WorkspaceRecord, upgrades }),
    "FormatTooNew",
    (newer) => tooNew(place)(newer)
  )
  type Read = Either.Either<Option.Option<WorkspaceRecord>, FileFailed | StateTooNew>
  return Effect.flatMap(read, (record): Read => {
    if (Option.isNone(record)) return hasDisk(folder) ? damaged("it is gone") : Either.right(record)
    if (record.value.id !== id) return damaged("it is the record of another workspace")
    return Either.map(demandReadable(residentKinds, place, record.value.residents), () => record)
  })
}

/** A disk is made after the record, and goes with it. */
const hasDisk = ({ directory }: WorkspaceFolder) => {
  try {
    return fs.readdirSync(directory).some((name) => /^disk-\d+$/.test(name))
  } catch {
    // It is just being deleted.
    return false
  }
}

/** When something was run or written last. */
export const lastActivity = (folder: WorkspaceFolder, record: WorkspaceRecord): Date =>
  fs.statSync(folder.activity, { throwIfNoEntry: false })?.mtime ?? new Date(record.createdAt)

/** Says that something is being run or written now. Never fails: the time of last activity is not worth a command. */
export const touch = (folder: WorkspaceFolder) =>
  Effect.map(nowMs, (ms) => {
    try {
      fs.utimesSync(folder.activity, ms / 1000, ms / 1000)
    } catch { /* the workspace is just being deleted */ }
  })
