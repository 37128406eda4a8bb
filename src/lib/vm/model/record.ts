import { type Effect, type Option, Schema } from "effect"
import { randomBytes } from "node:crypto"
import * as path from "node:path"
import { readJson, writeJsonAtomic } from "../../../system/files/atomic-file.ts"
import { namesIn } from "../../../system/files/entries.ts"
import type { FileFailed } from "../../../system/files/failure.ts"
import { type Paths } from "../../../system/files/Paths.ts"
import { hostBootId, ownIdentity, ProcessIdentity } from "../../../system/processes/identity.ts"
import { ConfinementLevel } from "./confinement.ts"
import { MachineSpec } from "./machine.ts"

/** Id of one VM. Ids are never reused. */
export const VmId = Schema.String.pipe(Schema.check(Schema.isPattern(/^vm-[a-z0-9]{12}$/)), Schema.brand("VmId"))
export type VmId = typeof VmId.Type

export const newVmId = (): VmId => VmId.make(`vm-${randomBytes(8).toString("hex").slice(0, 12)}`)

/** Whether a name is the id of a VM. */
export const isVmId = Schema.is(VmId)

/** Argument of every process of a VM. A sweep finds the processes by this argument. */
export const processName = (id: string) => `pyro-${id}`

/** Purpose of a VM. */
export const VmPurpose = Schema.Literals([
  "run",
  "template",
  "probe",
  "selftest",
  "pool",
  "workspace",
  "inspector",
  "bench"
])
export type VmPurpose = typeof VmPurpose.Type

/** The images that a QEMU has open, relative to the VM's folder, and their node names. */
export const DiskState = Schema.Struct({
  disks: Schema.Struct({ overlays: Schema.NonEmptyArray(Schema.String), seed: Schema.String }),
  seedNode: Schema.String,
  /** Nodes of the overlays, in their order. */
  overlayNodes: Schema.NonEmptyArray(Schema.String),
  /** Number of the next file and node, so that no name repeats. */
  next: Schema.Int,
  /** Size of both disks as the guest sees them. */
  virtualBytes: Schema.Int
})
export type DiskState = typeof DiskState.Type

/**
 * Written before any other part of a VM, so that everything can be found after a crash: the id names the folder and the memory file, and is
 * in the VMM's arguments.
 */
export const VmRecord = Schema.Struct({
  id: VmId,
  purpose: VmPurpose,
  /** Process that owns this VM. After the owner's death the VM is swept, or adopted if it outlives its owner. */
  owner: ProcessIdentity,
  /** Guest memory that was admitted. */
  memoryMib: Schema.Int,
  vcpuCount: Schema.Int,
  /** Host user that the VMM runs as. */
  uid: Schema.Int,
  /** Creation of the VM. A VM of the pool is older than its workspace's generation. */
  createdAt: Schema.String,
  /** Process whose death ends the VM. Absent until its start. */
  process: Schema.optional(ProcessIdentity),
  /** The machine, with the host paths of its start. This and the following fields are absent in records of an older pyro. */
  machine: Schema.optional(MachineSpec),
  /** Build of its VMM, as the driver names it. */
  vmmBuild: Schema.optional(Schema.String),
  confinement: Schema.optional(ConfinementLevel),
  /** The VM ends with its owner, so no process can adopt it. */
  dieWithOwner: Schema.optional(Schema.Boolean),
  /** QEMU's: bytes of a captured memory that the VM shares with others. It has no memory file then. */
  sharedBytes: Schema.optional(Schema.Int),
  /** Firecracker's: size of the workspace disk. */
  virtualBytes: Schema.optional(Schema.Int),
  /** Firecracker's: the VM's own memory image has everything but the pages that Firecracker tracks. */
  isTracked: Schema.optional(Schema.Boolean),
  disks: Schema.optional(DiskState),
  /** Target of a switch of the disks in progress. QEMU knows whether the switch has happened. */
  nextDisks: Schema.optional(DiskState)
}).pipe(Schema.encodeKeys({ process: "qemu", vmmBuild: "qemuBuild" }))
export type VmRecord = typeof VmRecord.Type

/** Host paths of one VM's parts. */
export const vmPaths = (paths: Paths["Service"], id: VmId) => {
  const directory = path.join(paths.stateDir, "vms", id)
  return {
    directory,
    record: path.join(directory, "record.json"),
    run: path.join(directory, "run"),
    images: path.join(directory, "in"),
    memory: path.join(paths.memoryDir, id)
  }
}
export type VmPaths = ReturnType<typeof vmPaths>

/** Ids of all VMs with a folder, also dead ones. */
export const listVmIds = (stateDir: string): ReadonlyArray<VmId> => {
  try {
    return namesIn(path.join(stateDir, "vms")).filter(isVmId)
  } catch {
    return []
  }
}

export const writeRecord = (paths: VmPaths, record: VmRecord): Effect.Effect<void, FileFailed> =>
  writeJsonAtomic(paths.record, VmRecord, record)

export const readRecord = (paths: VmPaths): Effect.Effect<Option.Option<VmRecord>, FileFailed> =>
  readJson(paths.record, VmRecord)

/** Owner of a VM that was left for the next process: no process has this pid. */
export const nobody = (): ProcessIdentity => ({ pid: 0, startTicks: 0, bootId: hostBootId() })

/** A record of a VM that this process owns. */
export const newRecord = (request: Omit<VmRecord, "owner">): VmRecord => ({
  ...request,
  owner: ownIdentity()
})

/** Name of a VM's folder while it is prepared, which names the owner. One rename gives the folder its own name once the record is in it. */
export const newFolderName = (id: VmId): string => {
  const { pid, startTicks } = ownIdentity()
  return `new-${pid}-${startTicks}-${id}`
}

/** The process that prepares a folder of this name. Undefined for other names. */
export const parseNewFolder = (name: string): ProcessIdentity | undefined => {
  const found = /^new-(\d+)-(\d+)-vm-/.exec(name)
  return found === null ? undefined : { pid: Number(found[1]), startTicks: Number(found[2]), bootId: hostBootId() }
}
