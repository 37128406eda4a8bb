import { createHash } from "node:crypto"
import { fileIdentity } from "../../../system/files/host-path.ts"
import type { MachineIdentity, MachineSpec } from "../model/machine.ts"
import { digestOf } from "./host-cpu.ts"

/** The identity of a machine's memory: `machine` is what the VMM is told. */
export const identityOf = (
  spec: MachineSpec,
  { cpu, machine, vmm }: Pick<MachineIdentity, "cpu" | "vmm"> & { readonly machine: unknown }
): MachineIdentity => ({
  accelerator: spec.accelerator,
  vmm,
  cpu,
  tscKhz: spec.tscKhz,
  kernel: spec.kernel.digest,
  environment: spec.environment.digest,
  machine: digestOf(machine)
})

/** The workspace disk of a template: its size, and the digest of the seed that is mounted, if one is. */
export interface TemplateDisk {
  readonly virtualBytes: number
  readonly mounted?: string | undefined
}

/**
 * Hash of everything that a frozen guest depends on: a template is used only if all of it is equal. `own` is what the driver alone knows: the format of
 * its templates, the machine and the CPU.
 */
export const keyOf = (
  own: ReadonlyArray<unknown>,
  spec: MachineSpec,
  program: string,
  { mounted, virtualBytes }: TemplateDisk
): string => {
  const inputs = [
    ...own,
    spec.environment.digest,
    spec.kernel.digest,
    fileIdentity(program),
    virtualBytes,
    mounted ?? null
  ]
  return createHash("sha256").update(JSON.stringify(inputs)).digest("hex").slice(0, 32)
}
