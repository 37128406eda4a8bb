import { createHash } from "node:crypto"
import type { MachineIdentity, MachineSpec } from "../../machine.ts"
import { hostCpu } from "./cpu.ts"
import { type Disks, qemuArguments } from "./machine.ts"

const digest = (value: unknown) => createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 16)

export const machineIdentity = (spec: MachineSpec, qemu: string): MachineIdentity => {
  const disks: Disks = { overlays: ["overlay"], seed: "seed" }
  return {
    accelerator: spec.accelerator,
    vmm: qemu,
    cpu: spec.accelerator === "kvm" ? digest(hostCpu()) : "emulated",
    tscKhz: spec.tscKhz,
    kernel: spec.kernel.digest,
    environment: spec.environment.digest,
    machine: digest(qemuArguments({ ...spec, tscKhz: 0 }, "id", disks, false))
  }
}
