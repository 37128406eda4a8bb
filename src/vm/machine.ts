import { Schema } from "effect"
import * as path from "node:path"

/** Everything of a machine that a frozen memory depends on: two machines of equal spec can take over each other's state. */
export const MachineSpec = Schema.Struct({
  /** What executes the guest's code, in the driver's words. */
  accelerator: Schema.String,
  vcpuCount: Schema.Int,
  memoryMib: Schema.Int,
  /** The machine has a network device, a tap device of its own network namespace. Absent: none. */
  hasTap: Schema.optional(Schema.Literal(true)),
  /** Host's time stamp counter in kHz; QEMU tells the guest under TCG only. */
  tscKhz: Schema.Number,
  environment: Schema.Struct({ digest: Schema.String, imagePath: Schema.String }),
  kernel: Schema.Struct({ digest: Schema.String, vmlinux: Schema.String, initrd: Schema.String })
})
export type MachineSpec = typeof MachineSpec.Type

/** What a captured VM goes on with: on a host where one of these differs its memory and device state are of no use. */
export const MachineIdentity = Schema.Struct({
  accelerator: Schema.String,
  /** Build of the VMM. */
  vmm: Schema.String,
  /** Under KVM the guest has seen the host's CPU; under TCG QEMU's, which is everywhere the same. */
  cpu: Schema.String,
  tscKhz: Schema.Number,
  kernel: Schema.String,
  environment: Schema.String,
  /** Hash of QEMU's arguments: devices, their order, sizes, the kernel's command line. */
  machine: Schema.String
}).pipe(Schema.encodeKeys({ vmm: "qemu" }))
export type MachineIdentity = typeof MachineIdentity.Type

/** TSC frequencies closer than this are the same clock (0.1 %: the guest's time would drift by no more). */
export const tscStep = 0.001

const words: Readonly<Record<keyof MachineIdentity, string>> = {
  accelerator: "accelerator",
  vmm: "QEMU",
  cpu: "the host's CPU or its microcode",
  tscKhz: "the frequency of the host's time stamp counter (kHz)",
  kernel: "guest kernel",
  environment: "environment",
  machine: "the machine that pyro describes to QEMU"
}

const same = (key: keyof MachineIdentity, one: MachineIdentity, other: MachineIdentity) =>
  key === "tscKhz" ? Math.abs(one.tscKhz / other.tscKhz - 1) <= tscStep : one[key] === other[key]

/** What differs, in words: as it was, and as it is. */
export const differencesOf = (captured: MachineIdentity, here: MachineIdentity): ReadonlyArray<string> =>
  (Object.keys(words) as ReadonlyArray<keyof MachineIdentity>)
    .filter((key) => !same(key, captured, here))
    .map((key) => `${words[key]} was ${captured[key]} and is ${here[key]}`)

/** A VM's memory and device state at one moment. */
export interface Frozen {
  readonly memoryPath: string
  readonly statePath: string
  /** What the overlay of its workspace disk then held, where the guest had that mounted. */
  readonly overlayPath?: string | undefined
}

/** Where a folder has them. */
export const frozenIn = (directory: string): Frozen => ({
  memoryPath: path.join(directory, "mem"),
  statePath: path.join(directory, "state")
})

/** And the overlay of the disk, where that is mounted in it. */
export const overlayIn = (directory: string) => path.join(directory, "overlay")
