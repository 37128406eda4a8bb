import { Schema } from "effect"

/** What executes a guest's code. `tcg` is a translator in software, which works on every host and is 6 to 15 times slower. */
export const Accelerator = Schema.Literal("kvm", "tcg")
export type Accelerator = typeof Accelerator.Type

/** Everything of a machine that a frozen memory depends on: two machines of equal spec can take over each other's state. */
export const MachineSpec = Schema.Struct({
  accelerator: Accelerator,
  vcpuCount: Schema.Int,
  memoryMib: Schema.Int,
  /** Host's time stamp counter in kHz; told to the guest under TCG only. */
  tscKhz: Schema.Number,
  environment: Schema.Struct({ digest: Schema.String, imagePath: Schema.String }),
  kernel: Schema.Struct({ digest: Schema.String, vmlinux: Schema.String, initrd: Schema.String })
})
export type MachineSpec = typeof MachineSpec.Type
