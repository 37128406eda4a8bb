import { Schema } from "effect"

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
