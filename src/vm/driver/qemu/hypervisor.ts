import { Effect } from "effect"
import type { Seed } from "../../../disk/workspace-disk.ts"
import { fileIdentity } from "../../../system/files/host-path.ts"
import { type Confinement, probeConfinement } from "../../confinement.ts"
import type { AcceleratorChoice, GuestImages, OnSlowStep } from "../../guest.ts"
import { chooseAccelerator, tscKhz } from "./accelerator.ts"
import { probeKvm } from "./freeze.ts"
import { findQemu, qemuBuild } from "./qemu-program.ts"

/** What this host runs guests with. */
export interface Hypervisor {
  readonly qemuProgram: string
  readonly qemuBuild: string
  readonly accelerator: AcceleratorChoice
  readonly confinement: Confinement
  readonly tscKhz: number
}

/** Memory of the guest that is booted to try KVM. */
const probeMemoryMib = 256

/** Told for the first VM: a KVM on which a kernel hangs is left at a deadline (`bootTimeoutMs`). */
const TRYING_KVM = "trying KVM (once; if a guest kernel does not boot on it, guests run without KVM, more slowly)"

/** Finds QEMU, and what it can do here. Booting a kernel tells of KVM, when that is not known yet. */
export const findHypervisor = (images: GuestImages, placeholder: Seed, onSlowStep?: OnSlowStep) =>
  Effect.gen(function*() {
    const qemuProgram = yield* findQemu
    const [khz, confinement, build] = yield* Effect.all([tscKhz, probeConfinement, qemuBuild(qemuProgram)], {
      concurrency: 3
    })
    const accelerator = yield* chooseAccelerator(
      `${images.kernel.digest}:${fileIdentity(qemuProgram)}`,
      Effect.andThen(
        onSlowStep?.(TRYING_KVM) ?? Effect.void,
        probeKvm({
          spec: {
            accelerator: "kvm",
            vcpuCount: 1,
            memoryMib: probeMemoryMib,
            tscKhz: khz,
            environment: images.environment,
            kernel: images.kernel
          },
          qemuProgram,
          qemuBuild: build,
          confinement,
          seed: placeholder
        })
      ),
      (failure) => "detail" in failure ? failure.detail : failure.message
    )
    return { qemuProgram, qemuBuild: build, accelerator, confinement, tscKhz: khz }
    // Also where the caller cannot be interrupted: a probe that hangs is ended by what it is raced against.
  }).pipe(Effect.interruptible)
