import type { MachineSpec } from "../../model/machine.ts"
import { processName } from "../../model/record.ts"
import { kernelArguments } from "../kernel-arguments.ts"

/**
 * Names inside a VM's folder, which is Firecracker's working directory. A snapshot keeps the names of drives and sockets as they were
 * given, so they are relative and the same in every VM.
 */
export const names = {
  /** Folder that this VM's Firecracker may write. */
  run: "run",
  /** Folder of images that Firecracker may only read. */
  images: "in",
  apiSocket: "run/api",
  vsock: "run/v",
  console: "run/console",
  /** What the guest has written over the seed. */
  store: "run/store",
  seed: "in/seed",
  /** Memory and device state that the VM continues from. */
  memory: "in/mem",
  state: "in/state",
  environment: "env.erofs",
  vmlinux: "vmlinux",
  initrd: "initrd"
} as const

/** Port of the agent on vsock (guest-agent/src/boot.c). */
export const AGENT_PORT = 5005

/** The same in every VM: the host's side is a socket in the VM's own folder. */
const GUEST_CID = 3

/** `pyro_channel` is a word for the agent. `reboot=k` ends Firecracker at a reset. There is no PCI bus. */
const ownArguments = ["pyro_channel=vsock", "reboot=k", "pci=off"]

/** A request to Firecracker's API (src/firecracker/swagger/firecracker.yaml of its sources). */
export interface ApiRequest {
  readonly method: "PUT" | "PATCH"
  readonly path: string
  readonly body: Readonly<Record<string, unknown>>
}

const put = (path: string, body: ApiRequest["body"]): ApiRequest => ({ method: "PUT", path, body })
const patch = (path: string, body: ApiRequest["body"]): ApiRequest => ({ method: "PATCH", path, body })

/** Drives in their order: vda is the environment, vdb the store, vdc the baseline, vdd the seed below the store. */
const drives = [
  { drive_id: "vda", path_on_host: names.environment, is_read_only: true },
  { drive_id: "vdb", path_on_host: names.store, is_read_only: false },
  { drive_id: "vdc", path_on_host: names.seed, is_read_only: true },
  { drive_id: "vdd", path_on_host: names.seed, is_read_only: true }
] as const

const drive = (one: (typeof drives)[number]) =>
  // With "Writeback", a flush of the guest reaches the host's disk. The default ignores flushes. `copyEarly` needs the default io_engine, "Sync".
  put(`/drives/${one.drive_id}`, { ...one, is_root_device: false, cache_type: "Writeback" })

/** Describes a machine that has not started. */
export const machineOf = (spec: MachineSpec): ReadonlyArray<ApiRequest> => [
  put("/machine-config", { vcpu_count: spec.vcpuCount, mem_size_mib: spec.memoryMib, smt: false }),
  put("/boot-source", {
    kernel_image_path: names.vmlinux,
    initrd_path: names.initrd,
    boot_args: kernelArguments(spec, ownArguments)
  }),
  ...drives.map(drive),
  put("/vsock", { guest_cid: GUEST_CID, uds_path: names.vsock })
]

export const boot = put("/actions", { action_type: "InstanceStart" })

/** Continues a frozen machine, which stays paused. The pages that it writes from now on are tracked, for `captureDiff`. */
export const load = put("/snapshot/load", {
  snapshot_path: names.state,
  mem_backend: { backend_type: "File", backend_path: names.memory },
  enable_diff_snapshots: true,
  resume_vm: false
})

export const pause = patch("/vm", { state: "Paused" })
export const resume = patch("/vm", { state: "Resumed" })

/** Files of a capture in the VM's own folder, where Firecracker may write. */
export const captured = { state: "run/captured.state", memory: "run/captured.mem" } as const

/** Writes device state and memory of a paused machine: all of its memory, or the pages since it was loaded or last captured. */
export const capture = (which: "Full" | "Diff") =>
  put("/snapshot/create", {
    snapshot_type: which,
    snapshot_path: captured.state,
    mem_file_path: captured.memory
  })

/** Opens the files of the disk anew, under their names. */
export const reopenDisk: ReadonlyArray<ApiRequest> = drives.slice(1).map(({ drive_id, path_on_host }) =>
  patch(`/drives/${drive_id}`, { drive_id, path_on_host })
)

export const firecrackerArguments = (id: string): ReadonlyArray<string> => [
  ...["--api-sock", names.apiSocket],
  ...["--id", processName(id)],
  // Its own messages go to the same output as the guest's console.
  ...["--level", "Error"]
]
