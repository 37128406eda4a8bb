import { Schema } from "effect"
import * as path from "node:path"

/** Every property of a machine that a frozen memory depends on: machines of equal spec can continue each other's state. */
export const MachineSpec = Schema.Struct({
  /** The VMM. Absent: QEMU. */
  driver: Schema.optional(Schema.Literal("firecracker")),
  /** The driver's name of what executes the guest's code. */
  accelerator: Schema.String,
  vcpuCount: Schema.Int,
  memoryMib: Schema.Int,
  /** Size in MiB of a further disk without a file system, which the guest writes and the host takes as a file. Absent: none. */
  resultMib: Schema.optional(Schema.Int),
  /** Host's time stamp counter in kHz. QEMU reports it to the guest under TCG only. */
  tscKhz: Schema.Number,
  environment: Schema.Struct({ digest: Schema.String, imagePath: Schema.String }),
  kernel: Schema.Struct({ digest: Schema.String, vmlinux: Schema.String, initrd: Schema.String })
})
export type MachineSpec = typeof MachineSpec.Type

/** Requirements of a captured VM: memory and device state are useless on a host where one of these differs. */
export const MachineIdentity = Schema.Struct({
  accelerator: Schema.String,
  /** Build of the VMM. */
  vmm: Schema.String,
  /** Under KVM the host's CPU, which the guest has seen. Under TCG QEMU's, which is the same everywhere. */
  cpu: Schema.String,
  tscKhz: Schema.Number,
  kernel: Schema.String,
  environment: Schema.String,
  /** Hash of what the VMM is told: devices, their order, sizes, the kernel's command line. */
  machine: Schema.String
}).pipe(Schema.encodeKeys({ vmm: "qemu" }))
export type MachineIdentity = typeof MachineIdentity.Type

/** Relative difference up to which two TSC frequencies count as equal (0.1 %, the maximum drift of the guest's time). */
export const tscStep = 0.001

const words: Readonly<Record<keyof MachineIdentity, string>> = {
  accelerator: "accelerator",
  vmm: "the build of its VMM",
  cpu: "the host's CPU or its microcode",
  tscKhz: "the frequency of the host's time stamp counter (kHz)",
  kernel: "guest kernel",
  environment: "environment",
  machine: "the machine that pyro describes to its VMM"
}

const same = (key: keyof MachineIdentity, one: MachineIdentity, other: MachineIdentity) =>
  key === "tscKhz" ? Math.abs(one.tscKhz / other.tscKhz - 1) <= tscStep : one[key] === other[key]

/** The differences in words: the old value and the present one. */
export const differencesOf = (captured: MachineIdentity, here: MachineIdentity): ReadonlyArray<string> =>
  (Object.keys(words) as ReadonlyArray<keyof MachineIdentity>)
    .filter((key) => !same(key, captured, here))
    .map((key) => `${words[key]} was ${captured[key]} and is ${here[key]}`)

/** A VM's memory and device state at one moment. */
export interface Frozen {
  readonly memoryPath: string
  readonly statePath: string
  /** Content of the workspace disk's overlay at that moment, if the guest had the disk mounted. */
  readonly overlayPath?: string | undefined
}

/** Paths of the frozen files in a folder. */
export const frozenIn = (directory: string): Frozen => ({
  memoryPath: path.join(directory, "mem"),
  statePath: path.join(directory, "state")
})

/** Path of the disk's overlay in a folder, if the disk was mounted. */
export const overlayIn = (directory: string) => path.join(directory, "overlay")
