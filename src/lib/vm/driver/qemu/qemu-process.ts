import type { ConfinementLevel } from "../../model/confinement.ts"
import type { MachineSpec } from "../../model/machine.ts"
import type { DiskState, VmRecord } from "../../model/record.ts"
import type { VisibleFile } from "../confine.ts"
import type { Ownership } from "../ownership.ts"
import { startVmm } from "../vmm-process.ts"
import { names, qemuArguments } from "./machine.ts"

interface QemuRequest {
  readonly qemu: string
  readonly spec: MachineSpec
  readonly ownership: Ownership
  readonly record: VmRecord
  readonly level: ConfinementLevel
  readonly disks: DiskState
  /** Frozen memory that is copied into the VM's own. Undefined: its memory file exists. */
  readonly memoryPath: string | undefined
  /** Our descriptor with the frozen state. Undefined: boot. */
  readonly stateDescriptor: number | undefined
  /** Our descriptor of the memory that the VM shares. Undefined: it has its own. */
  readonly sharedDescriptor: number | undefined
  /** The VM ends at any end of this process. */
  readonly dieWithParent: boolean
}

/** Starts QEMU in the VM's folder. */
export const startQemu = ({ disks, qemu, sharedDescriptor, spec, stateDescriptor, ...request }: QemuRequest) => {
  const { directory: _, ...paths } = request.ownership.paths
  const sharesMemory = sharedDescriptor !== undefined
  const files: ReadonlyArray<VisibleFile> = [
    { name: names.run, path: paths.run, access: "write" },
    { name: names.images, path: paths.images, access: "read" },
    ...(sharesMemory ? [] : [{ name: names.memory, path: paths.memory, access: "write" } as const]),
    { name: names.environment, path: spec.environment.imagePath, access: "read" },
    { name: names.vmlinux, path: spec.kernel.vmlinux, access: "read" },
    { name: names.initrd, path: spec.kernel.initrd, access: "read" }
  ]
  return startVmm({
    ...request,
    vmm: "QEMU",
    command: [
      qemu,
      ...qemuArguments(spec, request.record.id, disks.disks, { incoming: stateDescriptor !== undefined, sharesMemory })
    ],
    files,
    usesKvm: spec.accelerator === "kvm",
    inheritedDescriptor: stateDescriptor,
    sharedDescriptor,
    started: (now) => ({ ...now, disks })
  })
}
