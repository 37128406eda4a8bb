import { Effect } from "effect"
import { fileIdentity } from "../../../../system/files/host-path.ts"
import type { Seed } from "../../../disk/workspace-disk.ts"
import type { GuestImages, OnSlowStep } from "../../model/guest.ts"
import { HostFacts } from "../../model/HostFacts.ts"
import { kvmRefusal } from "../accelerator.ts"
import { kvmPermissions } from "../confine.ts"
import type { Firecracker } from "./acquire-vm.ts"
import { probe } from "./freeze.ts"
import { unavailable } from "./program.ts"

/** Memory of the guest that probes KVM, in MiB. */
const probeMemoryMib = 256

const TRYING = "trying KVM with Firecracker (once)"

/** Fails unless Firecracker boots a guest kernel on this host's KVM. The answer is kept until the next boot of the host. */
export const demandKvm = (
  { host, images, seed, tscKhz }: {
    readonly host: Firecracker
    readonly images: GuestImages
    readonly seed: Seed
    readonly tscKhz: number
  },
  onSlowStep: OnSlowStep | undefined
) =>
  Effect.gen(function*() {
    const refusal = kvmRefusal()
    if (refusal !== undefined) return yield* unavailable(`it needs KVM, and ${refusal}`)
    const facts = yield* HostFacts
    const { environment, kernel } = images
    const answer = yield* facts.get(
      `firecracker-kvm:${kernel.digest}:${fileIdentity(host.program)}:${kvmPermissions()}`,
      (onSlowStep?.(TRYING) ?? Effect.void).pipe(
        Effect.andThen(probe({
          host,
          seed,
          spec: {
            driver: "firecracker",
            accelerator: "kvm",
            vcpuCount: 1,
            memoryMib: probeMemoryMib,
            tscKhz,
            environment,
            kernel
          }
        })),
        Effect.as("boots"),
        Effect.catch((failure) => Effect.succeed(`no: ${"detail" in failure ? failure.detail : failure.message}`))
      )
    )
    if (answer !== "boots") {
      return yield* unavailable(
        `a guest kernel does not boot on its KVM (${
          answer.slice("no: ".length)
        }). It needs a host with a KVM that works`
      )
    }
  })
