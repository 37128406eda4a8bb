import { type MachineIdentity, type MachineSpec, tscStep } from "../../model/machine.ts"
import { digestOf, hostCpu } from "../host-cpu.ts"
import { identityOf, keyOf, type TemplateDisk } from "../identity.ts"
import { qemuArguments } from "./machine.ts"

/** QEMU's arguments of any VM of this spec. The exact frequency does not count. */
const describedMachine = (spec: MachineSpec) =>
  qemuArguments({ ...spec, tscKhz: 0 }, "id", { overlays: ["overlay"], seed: "seed" }, { incoming: false })

export const machineIdentity = (spec: MachineSpec, qemu: string): MachineIdentity =>
  identityOf(spec, {
    vmm: qemu,
    cpu: spec.accelerator === "kvm" ? digestOf(hostCpu()) : "emulated",
    machine: describedMachine(spec)
  })

/** Increased when the steps before a guest's freeze change. */
const templateFormat = 4

/** Key of a template. QEMU's arguments include the kernel command line, the CPU model, devices and sizes. */
export const templateKey = (spec: MachineSpec, qemuProgram: string, disk: TemplateDisk): string => {
  // The kernel's arguments have the exact frequency. Similar frequencies share a template.
  const roundedTsc = Math.round(Math.log(spec.tscKhz) / Math.log(1 + tscStep))
  const cpu = spec.accelerator === "tcg" ? roundedTsc : hostCpu()
  return keyOf([templateFormat, describedMachine(spec), cpu], spec, qemuProgram, disk)
}
