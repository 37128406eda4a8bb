import { type Effect, type Option, Schema } from "effect"
import { randomBytes } from "node:crypto"
import * as path from "node:path"
import { readJson, writeJsonAtomic } from "../system/files/atomic-file.ts"
import { namesIn } from "../system/files/entries.ts"
import type { FileFailed } from "../system/files/failure.ts"
import { type Paths } from "../system/files/Paths.ts"
import { hostBootId, ownIdentity, ProcessIdentity } from "../system/processes/identity.ts"
import { ConfinementLevel } from "./confinement.ts"
import { MachineSpec } from "./machine.ts"

/** Names one VM, never used again. */
export const VmId = Schema.String.pipe(Schema.check(Schema.isPattern(/^vm-[a-z0-9]{12}$/)), Schema.brand("VmId"))
export type VmId = typeof VmId.Type

export const newVmId = (): VmId => VmId.make(`vm-${randomBytes(8).toString("hex").slice(0, 12)}`)

/** Whether a name is that of a VM. */
export const isVmId = Schema.is(VmId)

/** Argument of every process of a VM. A sweep finds the processes by this argument. */
export const processName = (id: string) => `pyro-${id}`

/** What a VM serves. */
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

/** Which images a QEMU has open, named relative to the VM's folder, and what it calls them. */
export const DiskState = Schema.Struct({
  disks: Schema.Struct({ overlays: Schema.NonEmptyArray(Schema.String), seed: Schema.String }),
  seedNode: Schema.String,
  /** Nodes of the overlays, in their order. */
  overlayNodes: Schema.NonEmptyArray(Schema.String),
  /** Number for the next file and node, so that no name comes twice. */
  next: Schema.Int,
  /** Size of both disks as the guest sees them. */
  virtualBytes: Schema.Int
})
export type DiskState = typeof DiskState.Type

/**
 * Written before anything of a VM is made, so that whatever a crash leaves behind can be found: the folder and the memory file
 * are named after the id, QEMU carries it in its arguments.
 */
export const VmRecord = Schema.Struct({
  id: VmId,
  purpose: VmPurpose,
  /** Process that answers for this VM; when it is gone the VM is swept (or adopted, for those that outlive their owner). */
  owner: ProcessIdentity,
  /** Guest memory that was admitted. */
  memoryMib: Schema.Int,
  vcpuCount: Schema.Int,
  /** Host user that QEMU runs as. */
  uid: Schema.Int,
  /** Of the VM, and not of a workspace's generation: a VM of the pool is older. */
  createdAt: Schema.String,
  /** Process whose death ends the VM; absent until it was started. */
  process: Schema.optional(ProcessIdentity),
  /** The machine, with the host paths it was started from. Here and below: absent where an older pyro made the VM. */
  machine: Schema.optional(MachineSpec),
  /** QEMU that it was started with, as `qemuBuild` names it. */
  qemuBuild: Schema.optional(Schema.String),
  confinement: Schema.optional(ConfinementLevel),
  /** The VM ends with its owner, so nobody can take it over. */
  dieWithOwner: Schema.optional(Schema.Boolean),
  disks: Schema.optional(DiskState),
  /** What the disks are being switched to; QEMU knows whether it has happened. */
  nextDisks: Schema.optional(DiskState)
}).pipe(Schema.encodeKeys({ process: "qemu" }))
export type VmRecord = typeof VmRecord.Type

/** Where the parts of one VM are on the host. */
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

/** Ids of all VMs that have a folder, dead ones included. */
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

/** Owner of a VM that was left running for whoever attaches to it: no process has this pid. */
export const nobody = (): ProcessIdentity => ({ pid: 0, startTicks: 0, bootId: hostBootId() })

/** A record of a VM that this process answers for. */
export const newRecord = (request: Omit<VmRecord, "owner">): VmRecord => ({
  ...request,
  owner: ownIdentity()
})

/**
 * Name under which a VM's folder is prepared. It gets its own name, by one rename, when its record is in it; the name says whose
 * it is until then.
 */
export const newFolderName = (id: VmId): string => {
  const { pid, startTicks } = ownIdentity()
  return `new-${pid}-${startTicks}-${id}`
}

/** Who prepares a folder of that name; undefined when it is none of these. */
export const parseNewFolder = (name: string): ProcessIdentity | undefined => {
  const found = /^new-(\d+)-(\d+)-vm-/.exec(name)
  return found === null ? undefined : { pid: Number(found[1]), startTicks: Number(found[2]), bootId: hostBootId() }
}
