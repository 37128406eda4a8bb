import { Effect, Option, Result, Schema } from "effect"
import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import type { StateTooNew } from "../../contract/errors/errors.ts"
import { byName } from "../../contract/text/names.ts"
import { ImageProgram } from "../../lib/environment/model/image-config.ts"
import { LifecycleSteps } from "../../lib/recipe/devcontainer.ts"
import { MachineIdentity, MachineSpec } from "../../lib/vm/model/machine.ts"
import { VmId } from "../../lib/vm/model/record.ts"
import { readVersioned, syncFile, type Upgrades, writeJsonAtomic } from "../../system/files/atomic-file.ts"
import { FileFailed, toHostErrorOf } from "../../system/files/failure.ts"
import { demandReadable, noStates, ResidentStates, type StoredKind, tooNew } from "./resident.ts"

export const WorkspaceId = Schema.String.pipe(
  Schema.check(Schema.isPattern(/^ws-[0-9a-f]{10}$/)),
  Schema.brand("WorkspaceId")
)
export type WorkspaceId = typeof WorkspaceId.Type
export const isWorkspaceId = Schema.is(WorkspaceId)

export const newWorkspaceId = (): WorkspaceId => WorkspaceId.make(`ws-${randomBytes(5).toString("hex")}`)

/** Some commands of a workspace in a row, by their places in the journal: from `from`, up to and without `to`. */
export const Span = Schema.Struct({ from: Schema.Int, to: Schema.Int })
export type Span = typeof Span.Type

/** An older pyro gave guests network devices. A record that says so is refused: no guest of this pyro has one. */
const noNetworkDevice = Schema.optionalKey(
  Schema.Never.annotate({ message: "the workspace had a network device, which this pyro does not have" })
)

/**
 * A workspace on disk. pyro writes the record before the side effects that it announces. In the phases `creating` and `deleting` the
 * rest may be incomplete: after a crash the next process removes the workspace. In all other phases the record names the only valid
 * disk and the only valid VM. One rename switches from a generation to the next.
 */
export const WorkspaceRecord = Schema.Struct({
  format: Schema.Literal(3),
  id: WorkspaceId,
  phase: Schema.Literals(["creating", "running", "stopped", "deleting"]),
  name: Schema.optional(Schema.String),
  labels: byName(Schema.String),
  environment: Schema.Struct({ name: Schema.String, digest: Schema.String }),
  /** Counts the VMs. */
  generation: Schema.Int,
  /** The VM of a running generation. */
  vm: Schema.optional(VmId),
  /** Number of the disk. Every reset makes a new disk. */
  disk: Schema.Int,
  vcpuCount: Schema.Int,
  memoryMib: Schema.Int,
  diskMib: Schema.Int,
  /** Absent: QEMU. A workspace keeps its driver, and so do its snapshots and forks. */
  driver: Schema.optional(Schema.Literal("firecracker")),
  networkDriver: noNetworkDevice,
  /** File of the host that the guest writes as a further disk, and its size. Only builders have such a disk. */
  result: Schema.optional(Schema.Struct({ file: Schema.String, mib: Schema.Int })),
  /** Reference of the image that a builder makes. Absent: the workspace is no builder. Lists leave out builders. */
  builder: Schema.optional(Schema.String),
  requireConfinement: Schema.optional(Schema.Literals(["namespaces", "namespaces+uid"])),
  ttlSeconds: Schema.optional(Schema.Int),
  /** Time without a use until it is paused. Absent: never. */
  pauseAfterSeconds: Schema.optional(Schema.Int),
  /**
   * Memory in the folder `paused`, in the phase `stopped`, that the next VM continues. An older pyro takes the workspace for a stopped one,
   * and drops this.
   */
  paused: Schema.optional(
    Schema.Struct({ spec: MachineSpec, identity: MachineIdentity, hostname: Schema.String, takenAtMs: Schema.Number })
  ),
  seedPath: Schema.optional(Schema.String),
  repoUrl: Schema.optional(Schema.String),
  repoRef: Schema.optional(Schema.String),
  /** Owner of /workspace and default user of commands. */
  workspaceUser: Schema.Literals(["root", "agent"]),
  /** Variables and directory of its commands, shells and services that do not name their own. */
  env: Schema.optional(byName(Schema.String)),
  cwd: Schema.optional(Schema.String),
  /** User of commands, shells and services that name none: that of the environment's image. Absent: `workspaceUser`. */
  user: Schema.optional(Schema.String),
  /** The image's own command, as the image describes it. Absent: none. */
  image: Schema.optional(ImageProgram),
  /** Project of the workspace: real path of a directory of the host, or the key of a server without one. */
  project: Schema.optional(Schema.String),
  /** Tenant of a server for other machines whose workspace it is. Absent: the owner of this machine. */
  tenant: Schema.optional(Schema.String),
  /** Commands of its devcontainer.json, for starts and for resets to the state after create. Absent: none. */
  devcontainer: Schema.optional(LifecycleSteps),
  /**
   * SSH agent that the person lends for the life of the workspace, by the path of its socket. Neither a fork nor a snapshot has it: a copy
   * asks the person anew.
   */
  sshAgent: Schema.optional(
    Schema.Struct({ hosts: Schema.Array(Schema.String), ask: Schema.Boolean, socket: Schema.String })
  ),
  /** States of its residents. The Schema of each resident decodes its state. */
  residents: ResidentStates,
  /** The residents still belong to the previous disk: a reset was interrupted. */
  staleResidents: Schema.optional(Schema.Boolean),
  /** The snapshot whose residents the workspace must adopt: a reset was interrupted. */
  restoredFrom: Schema.optional(Schema.String),
  /** Commands that a rewind has undone, by their places in the journal: from `from`, up to and without `to`. Absent: none. */
  undone: Schema.optional(Schema.Array(Span)),
  /** The point whose residents the workspace must adopt: a rewind was interrupted. */
  rewoundTo: Schema.optional(Schema.String),
  /** Source workspace and source snapshot of a fork. */
  forkedFrom: Schema.optional(
    Schema.Struct({ workspace: WorkspaceId, snapshot: Schema.optional(Schema.String) })
  ),
  /**
   * Try of which the workspace is a candidate. A candidate ends with its try, and the next process removes a leftover candidate. No request reaches a
   * candidate. A candidate to keep becomes a snapshot first.
   */
  tryOf: Schema.optional(Schema.String),
  /** ISO 8601. */
  createdAt: Schema.String.pipe(
    Schema.check(Schema.makeFilter((text) => !Number.isNaN(Date.parse(text)), { message: "must be a date" }))
  )
})
export type WorkspaceRecord = typeof WorkspaceRecord.Type

/** Format 1 had commands only, in the journal. In format 2 root owned every /workspace. */
const upgrades: Upgrades = [
  ({ staleCommands, ...same }) => ({
    ...same,
    format: 2,
    residents: noStates,
    ...(staleCommands === undefined ? {} : { staleResidents: staleCommands })
  }),
  (same) => ({ ...same, format: 3, workspaceUser: "root" })
]

/** Whether the workspace is half made or half removed. The next process then removes it. */
export const isUnfinished = ({ phase, tryOf }: Pick<WorkspaceRecord, "phase" | "tryOf">): boolean =>
  phase === "creating" || phase === "deleting" || tryOf !== undefined

export const virtualBytesOf = ({ diskMib }: Pick<WorkspaceRecord, "diskMib">) => diskMib * 1024 * 1024

/** The format of the records that this pyro writes. */
export const RECORD_FORMAT = 3 as const

/** Host paths of the parts of one workspace. */
export interface WorkspaceFolder {
  readonly directory: string
  readonly record: string
  /** An empty file whose time of last change is the workspace's last activity. */
  readonly activity: string
  /** Journal of commands, a JSON document per line. */
  readonly journal: string
  /** Output of commands, a file for each command. */
  readonly logs: string
  /** Links to the images under its root disk, which therefore outlive the cache. */
  readonly base: string
  readonly disk: (number: number) => string
  /** Snapshots, a folder for each. */
  readonly snapshots: string
  /** Points that a rewind returns to, a folder for each. */
  readonly points: string
  /** Memory and devices of a paused workspace. */
  readonly paused: string
  /** Source of forks during their creation. */
  readonly staged: string
  /** Snapshots in comparisons, a folder for each comparison. */
  readonly compared: string
  /** Keys of its SSH connections. */
  readonly ssh: string
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
    points: path.join(directory, "points"),
    paused: path.join(directory, "paused"),
    staged: path.join(directory, "staged"),
    compared: path.join(directory, "compared"),
    ssh: path.join(directory, "ssh")
  }
}

/** Reason why a file of the state directory, such as a workspace's, could not be written. */
export const unwritten = ({ directory }: Pick<WorkspaceFolder, "directory">) => toHostErrorOf(directory)

export interface WriteWorkspaceOptions {
  /** Waits until the record is on disk. @default false */
  readonly durable?: boolean
  /** Writes the record to disk a moment later, without a wait. @default true */
  readonly flush?: boolean
}

/** Delay until the step that the record belongs to has ended: its own file operations would also wait for the disk. */
const flushAfter = "100 millis"

/**
 * Writes a record. The record survives the end of this process at once, and a power cut a moment later. A create does not wait for the
 * disk: the power cut that loses the record also ends the VM.
 */
export const writeWorkspace = (folder: WorkspaceFolder, record: WorkspaceRecord, options: WriteWorkspaceOptions = {}) =>
  writeJsonAtomic(folder.record, WorkspaceRecord, record, options).pipe(
    Effect.mapError(unwritten(folder)),
    Effect.tap(
      options.durable === true || options.flush === false
        ? Effect.void
        : syncFile(folder.record).pipe(Effect.delay(flushAfter), Effect.ignore, Effect.forkDetach)
    )
  )

/**
 * Reads a record. None for a folder without a record and without a disk. Fails if the record is damaged, missing, from a newer pyro or
 * of another workspace. The same applies to the state of each resident.
 */
export const readWorkspace = (
  folder: WorkspaceFolder,
  kinds: ReadonlyArray<StoredKind>
): Effect.Effect<Option.Option<WorkspaceRecord>, FileFailed | StateTooNew> => {
  const id = path.basename(folder.directory)
  const place = { workspace: id, path: folder.record }
  const damaged = (wrong: string) =>
    Result.fail(new FileFailed({ operation: "decode", path: folder.record, detail: `it is damaged (${wrong})` }))
  const read = Effect.catchTag(
    readVersioned(folder.record, { schema: WorkspaceRecord, upgrades }),
    "FormatTooNew",
    (newer) => tooNew(place)(newer)
  )
  type Read = Result.Result<Option.Option<WorkspaceRecord>, FileFailed | StateTooNew>
  const check = (record: Option.Option<WorkspaceRecord>): Read => {
    if (Option.isNone(record)) return hasDisk(folder) ? damaged("it is gone") : Result.succeed(record)
    if (record.value.id !== id) return damaged("it is the record of another workspace")
    return Result.map(demandReadable(kinds, place, record.value.residents), () => record)
  }
  return Effect.flatMap(read, (record) => Effect.fromResult(check(record)))
}

/** pyro makes a disk after the record, and removes both together. */
const hasDisk = ({ directory }: WorkspaceFolder) => {
  try {
    return fs.readdirSync(directory).some((name) => /^disk-\d+$/.test(name))
  } catch {
    // A deletion is removing it.
    return false
  }
}
