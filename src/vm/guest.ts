import type { Effect } from "effect"
import type { SeedImage } from "../disk/SeedImages.ts"
import type { DiskSource, Seed } from "../disk/workspace-disk.ts"
import type { GuestChannel } from "../guest-channel/GuestChannel.ts"
import type { ConfinementLevel } from "./confinement.ts"
import type { MachineSpec } from "./machine-spec.ts"
import type { VmPurpose } from "./record.ts"
import type { Vm } from "./Vm.ts"

/** Images that a guest is made of. */
export interface GuestImages {
  readonly environment: { readonly name: string; readonly digest: string; readonly imagePath: string }
  readonly kernel: { readonly digest: string; readonly vmlinux: string; readonly initrd: string }
}

/** A VM whose agent has answered. Nothing of the workspace is mounted yet, and it still is a clone of its template. */
export interface Guest {
  readonly vm: Vm
  readonly channel: GuestChannel
}

/** A guest as a template has it, or the pool. */
export interface RestoredGuest extends Guest {
  /** It has its disk, an empty one, mounted (`mountSteps`), for its claim to go on from there. */
  readonly isMounted: boolean
}

export type OnSlowStep = (message: string) => Effect.Effect<void>

export interface RestoreRequest extends DiskSource {
  readonly purpose: VmPurpose
  readonly images: GuestImages
  readonly vcpuCount: number
  readonly memoryMib: number
  /** The guest gets a network device (`MachineSpec.hasTap`). Default false. */
  readonly hasTap?: boolean | undefined
  /** Empty seed image of the same virtual size, for the template. */
  readonly placeholder: SeedImage
  /** The image in the cache that `seed` is, where the next request may begin with the same. */
  readonly seedImage?: SeedImage | undefined
  readonly dieWithParent: boolean
  /** Least confinement of QEMU that the caller insists on; whatever the host allows by default. */
  readonly leastConfinement?: ConfinementLevel | undefined
  /** Its disk is to be switched before it is claimed, and so not to be mounted, even where it is an empty one. */
  readonly leaveUnmounted?: boolean | undefined
  /** Told at the beginning of each step that takes seconds and is done once. The message is for people. */
  readonly onSlowStep?: OnSlowStep | undefined
}

/** Asks for a VM that goes on from captured memory. */
export interface ReserveCapturedRequest {
  readonly purpose: VmPurpose
  /** Of the captured VM. */
  readonly spec: MachineSpec
  /** Where its images are now. */
  readonly images: GuestImages
  /** Seed image that the captured VM's disk started from. */
  readonly seed: Seed
  readonly dieWithParent: boolean
  readonly leastConfinement?: ConfinementLevel | undefined
}

/** Captured state of a VM, without its memory. */
export interface CapturedState {
  /** File with the device state. */
  readonly statePath: string
  readonly disk: DiskSource
}
