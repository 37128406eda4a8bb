import { Effect } from "effect"
import * as path from "node:path"
import { nativeTool } from "../../../../system/processes/native.ts"
import type { ConfinementLevel } from "../../model/confinement.ts"
import type { MachineSpec } from "../../model/machine.ts"
import type { VmRecord } from "../../model/record.ts"
import type { VisibleFile } from "../confine.ts"
import type { Ownership } from "../ownership.ts"
import { startVmm } from "../vmm-process.ts"
import { firecrackerArguments, names } from "./machine.ts"

interface FirecrackerRequest {
  readonly program: string
  readonly spec: MachineSpec
  readonly ownership: Ownership
  readonly record: VmRecord
  readonly level: ConfinementLevel
  /** The VM ends at any end of this process. */
  readonly dieWithParent: boolean
}

/**
 * Starts Firecracker in the VM's folder, without a machine. Its default seccomp filters are on. Its network namespace is empty, and it sees
 * the VM's own files only.
 */
export const startFirecracker = ({ program, spec, ...request }: FirecrackerRequest) =>
  Effect.gen(function*() {
    const { directory, images, run } = request.ownership.paths
    const files: ReadonlyArray<VisibleFile> = [
      { name: names.run, path: run, access: "write" },
      { name: names.images, path: images, access: "read" },
      { name: names.environment, path: spec.environment.imagePath, access: "read" },
      { name: names.vmlinux, path: spec.kernel.vmlinux, access: "read" },
      { name: names.initrd, path: spec.kernel.initrd, access: "read" }
    ]
    return yield* startVmm({
      ...request,
      vmm: "Firecracker",
      command: [program, ...firecrackerArguments(request.record.id)],
      // A release is a file anywhere on the host, which the namespaces of the VM otherwise lack.
      files: request.level === "seccomp" ? files : [...files, { name: program, path: program, access: "read" }],
      through: [yield* nativeTool("pyro-console"), path.join(directory, names.console)],
      usesKvm: true,
      started: (now) => now
    })
  })
