import type { Effect, Scope } from "effect"
import type {
  AdmissionRefused,
  ChannelFailed,
  ConfinementUnavailable,
  HostToolMissing,
  HostToolUnsuitable,
  InvalidConfiguration,
  NoSpace,
  StateDirectoryUnusable
} from "../contract/errors/errors.ts"
import type { SeedImage } from "../disk/SeedImages.ts"
import type { DiskSource, Seed } from "../disk/workspace-disk.ts"
import type { GuestChannel } from "../guest-channel/GuestChannel.ts"
import type { ConfinementLevel } from "./confinement.ts"
import type { MachineIdentity, MachineSpec } from "./machine.ts"
import type { VmId, VmPurpose, VmRecord } from "./record.ts"
import type { MemoryTarget, Vm, VmError } from "./Vm.ts"

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

export type VmmError = VmError | ChannelFailed | ConfinementUnavailable | HostToolUnsuitable | InvalidConfiguration

/** What guests run with on this host, and why. */
export interface AcceleratorChoice {
  /** A name of the driver's own, which a `MachineSpec` carries. */
  readonly accelerator: string
  /** Result of the probe, for `doctor`. */
  readonly reason: string
}

/** A VM that has a record and a folder, and nothing else yet. */
export interface ReservedVm {
  readonly record: VmRecord
  /** File of the VM's memory. A capture may write it in place of `fill`. */
  readonly memory: MemoryTarget
  /** Copies a captured memory into the VM's own. */
  readonly fill: (memoryPath: string) => Effect.Effect<void, VmError>
  /**
   * Goes on where a captured VM was; the VM's memory file is there. The agent still has the streams of that moment, the programs are
   * stopped, and the guest is a clone until `GuestSteps.renewal`: nothing may run in it before.
   */
  readonly restore: (captured: CapturedState) => Effect.Effect<Guest, VmmError, Scope.Scope>
}

interface AttachOptions {
  /** Chooses the streams that the channel goes on with; the others end. Default: all. */
  readonly keep?: (stream: string) => boolean
  /** Runs when the guest stands still because the host's disk is full. The VM is attached once the guest goes on. */
  readonly onStill?: Effect.Effect<unknown>
}

/** Makes guests. One implementation per driver. */
export interface VmmService {
  /** Finds the driver's program on this host. Gives its path, for `doctor`. */
  readonly program: Effect.Effect<string, HostToolMissing | HostToolUnsuitable | InvalidConfiguration>
  /** Chooses the accelerator of this host. Without a known answer, the probe of KVM boots a kernel. */
  readonly accelerator: (images: GuestImages, placeholder: Seed) => Effect.Effect<AcceleratorChoice, VmmError>
  /**
   * Restores a guest from the template of these images and sizes, and makes the template first if there is none. If the disk is an empty
   * one over the placeholder, the template has it mounted. The guest lives as long as the Scope. A template that does not come up is
   * made once more.
   */
  readonly restore: (request: RestoreRequest) => Effect.Effect<RestoredGuest, VmmError, Scope.Scope>
  /** Identity that the memory of such a VM would need on this host. */
  readonly identity: (spec: MachineSpec, images: GuestImages, seed: Seed) => Effect.Effect<MachineIdentity, VmmError>
  /** Records a VM that is to go on from captured memory. The Scope removes what exists of the VM. */
  readonly reserve: (request: ReserveCapturedRequest) => Effect.Effect<ReservedVm, VmmError, Scope.Scope>
  /** Admits reserved VMs, all or none. Call this before `fill`. */
  readonly admit: (
    reserved: ReadonlyArray<ReservedVm>
  ) => Effect.Effect<void, AdmissionRefused | NoSpace | StateDirectoryUnusable>
  /**
   * Goes on with the VM of a workspace that has no owner: its processes run on, and the channel takes their streams up. This process owns
   * the VM from now on, and the Scope ends it. Fails with step `attach` if there is no such VM, its process is gone, or another process
   * owns it; the VM stays as it is then.
   */
  readonly attach: (id: VmId, options?: AttachOptions) => Effect.Effect<Guest, VmmError, Scope.Scope>
}
