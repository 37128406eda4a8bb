import { createHash } from "node:crypto"
import { fileIdentity } from "../../../system/files/host-path.ts"
import { cpuInfo } from "../../../system/processes/host.ts"
import { type MachineIdentity, type MachineSpec, tscStep } from "../../machine.ts"
import { type Disks, qemuArguments } from "./machine.ts"

/** Model and microcode of the host's CPU: under KVM the guest has seen its features. */
const hostCpu = () => {
  const info = cpuInfo()
  const first = info.slice(0, info.indexOf("\n\n"))
  return ["vendor_id", "cpu family", "model", "stepping", "microcode", "flags"].map((name) =>
    new RegExp(`^${name}\\s*: (.*)$`, "m").exec(first)?.[1] ?? ""
  )
}

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

/** Raised when what is done to a guest before it is frozen changes. */
const templateFormat = 3

/**
 * Hash of everything a frozen guest depends on: a template is used only where all of it is the same, and made anew otherwise.
 * QEMU's own arguments stand for kernel command line, CPU model, devices and sizes. `mounted` is the digest of the seed that it
 * has mounted, if any.
 */
export const templateKey = (
  spec: MachineSpec,
  qemuProgram: string,
  { mounted, virtualBytes }: { readonly virtualBytes: number; readonly mounted?: string | undefined }
): string => {
  const placeholder: Disks = { overlays: ["overlay"], seed: "seed" }
  // The exact frequency is in the kernel's arguments; near ones share a template.
  const roundedTsc = Math.round(Math.log(spec.tscKhz) / Math.log(1 + tscStep))
  const inputs = [
    templateFormat,
    qemuArguments({ ...spec, tscKhz: 0 }, "id", placeholder, false),
    spec.accelerator === "tcg" ? roundedTsc : hostCpu(),
    spec.environment.digest,
    spec.kernel.digest,
    fileIdentity(qemuProgram),
    virtualBytes,
    mounted ?? null
  ]
  return createHash("sha256").update(JSON.stringify(inputs)).digest("hex").slice(0, 32)
}
