import { createHash } from "node:crypto"
import { fileIdentity } from "../../../../system/files/host-path.ts"
import type { MachineIdentity, MachineSpec } from "../../model/machine.ts"
import { digestOf, hostCpu } from "../host-cpu.ts"
import { machineOf } from "./machine.ts"

export const machineIdentity = (spec: MachineSpec, build: string): MachineIdentity => ({
  accelerator: spec.accelerator,
  vmm: build,
  cpu: digestOf(hostCpu()),
  tscKhz: spec.tscKhz,
  kernel: spec.kernel.digest,
  environment: spec.environment.digest,
  machine: digestOf(machineOf(spec))
})

/** Increased when the steps before a guest's freeze change. */
const templateFormat = 2

/** Hash of everything that a frozen guest depends on. `mounted` is the digest of the mounted seed, if any. */
export const templateKey = (
  spec: MachineSpec,
  program: string,
  { mounted, virtualBytes }: { readonly virtualBytes: number; readonly mounted?: string | undefined }
): string => {
  const inputs = [
    "firecracker",
    templateFormat,
    machineOf(spec),
    hostCpu(),
    spec.environment.digest,
    spec.kernel.digest,
    fileIdentity(program),
    virtualBytes,
    mounted ?? null
  ]
  return createHash("sha256").update(JSON.stringify(inputs)).digest("hex").slice(0, 32)
}
