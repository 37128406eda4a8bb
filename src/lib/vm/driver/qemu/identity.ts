import { createHash } from "node:crypto"
import { fileIdentity } from "../../../../system/files/host-path.ts"
import { type MachineIdentity, type MachineSpec, tscStep } from "../../model/machine.ts"
import { digestOf, hostCpu } from "../host-cpu.ts"
import { qemuArguments } from "./machine.ts"

/** QEMU's arguments of any VM of this spec. The exact frequency does not count. */
const describedMachine = (spec: MachineSpec) =>
  qemuArguments({ ...spec, tscKhz: 0 }, "id", { overlays: ["overlay"], seed: "seed" }, { incoming: false })

export const machineIdentity = (spec: MachineSpec, qemu: string): MachineIdentity => ({
  accelerator: spec.accelerator,
  vmm: qemu,
  cpu: spec.accelerator === "kvm" ? digestOf(hostCpu()) : "emulated",
  tscKhz: spec.tscKhz,
  kernel: spec.kernel.digest,
  environment: spec.environment.digest,
  machine: digestOf(describedMachine(spec))
})

/** Increased when the steps before a guest's freeze change. */
const templateFormat = 4

/**
 * Hash of everything that a frozen guest depends on: a template is used only if all of it is equal. QEMU's arguments include the kernel
 * command line, the CPU model, devices and sizes. `mounted` is the digest of the mounted seed, if any.
 */
export const templateKey = (
  spec: MachineSpec,
  qemuProgram: string,
  { mounted, virtualBytes }: { readonly virtualBytes: number; readonly mounted?: string | undefined }
): string => {
  // The kernel's arguments have the exact frequency. Similar frequencies share a template.
  const roundedTsc = Math.round(Math.log(spec.tscKhz) / Math.log(1 + tscStep))
  const inputs = [
    templateFormat,
    describedMachine(spec),
    spec.accelerator === "tcg" ? roundedTsc : hostCpu(),
    spec.environment.digest,
    spec.kernel.digest,
    fileIdentity(qemuProgram),
    virtualBytes,
    mounted ?? null
  ]
  return createHash("sha256").update(JSON.stringify(inputs)).digest("hex").slice(0, 32)
}
