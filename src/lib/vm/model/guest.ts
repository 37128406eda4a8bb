import type { Effect, Scope } from "effect"
import type {
  AdmissionRefused,
  ChannelFailed,
  ConfinementUnavailable,
  DriverUnavailable,
  HostToolMissing,
  HostToolUnsuitable,
  InvalidConfiguration,
  NoSpace,
  StateDirectoryUnusable
} from "../../../contract/errors/errors.ts"
import type { ResultDisk } from "../../disk/result-disk.ts"
import type { SeedImage } from "../../disk/SeedImages.ts"
import type { DiskSource, Seed } from "../../disk/workspace-disk.ts"
import type { GuestChannel } from "../../guest-channel/GuestChannel.ts"
import type { ConfinementLevel } from "./confinement.ts"
import type { MachineIdentity, MachineSpec } from "./machine.ts"
import type { VmId, VmPurpose, VmRecord } from "./record.ts"
import type { MemoryTarget, SharedMemory, Vm, VmError } from "./Vm.ts"

/** Images that a guest is made of. */
export interface GuestImages {
  readonly environment: {
    readonly name: string
    readonly digest: string
    readonly imagePath: string
    /** Programs that every guest starts. They write to no disk. Absent: none. */
    readonly firstPrograms?: ReadonlyArray<readonly [string, ...ReadonlyArray<string>]> | undefined
  }
  readonly kernel: { readonly digest: string; readonly vmlinux: string; readonly initrd: string }
}

/** A VM whose agent has answered. It is still a clone of its template, with nothing of the workspace mounted. */
export interface Guest {
  readonly vm: Vm
  readonly channel: GuestChannel
}

/** A guest from a template or from the pool. */
export interface RestoredGuest extends Guest {
  /** The guest has its empty disk mounted (`GuestSteps.mountEmpty`), and its claim continues from there. */
  readonly isMounted: boolean
}

/** A program that runs VMs. */
export type DriverName = "qemu" | "firecracker"

export type OnSlowStep = (message: string) => Effect.Effect<void>

export interface RestoreRequest extends DiskSource {
  /** @default qemu */
  readonly driver?: DriverName | undefined
  readonly purpose: VmPurpose
  readonly images: GuestImages
  readonly vcpuCount: number
  readonly memoryMib: number
  /** The guest gets a disk for its result (`MachineSpec.resultMib`): this file of the host, which has that size. Default: none. */
  readonly result?: ResultDisk | undefined
  /** Empty seed image of the same virtual size, for the template. */
  readonly placeholder: SeedImage
  /** The cached image of `seed`, if the next request may begin with the same. */
  readonly seedImage?: SeedImage | undefined
  readonly dieWithParent: boolean
  /** Minimum confinement of QEMU. Default: the maximum that the host allows. */
  readonly leastConfinement?: ConfinementLevel | undefined
  /** The disk is switched before the claim, so even an empty disk is not mounted. */
  readonly leaveUnmounted?: boolean | undefined
  /** Called at the start of each slow step that is done once. The message is for people. */
  readonly onSlowStep?: OnSlowStep | undefined
}

/** Request for a VM that continues from captured memory. */
export interface ReserveCapturedRequest {
  readonly purpose: VmPurpose
  /** Of the captured VM. */
  readonly spec: MachineSpec
  /** Present paths of its images. */
  readonly images: GuestImages
  /** Seed image that the captured VM's disk started from. */
  readonly seed: Seed
  readonly dieWithParent: boolean
  readonly leastConfinement?: ConfinementLevel | undefined
  /** Bytes of the memory that the VM will share (`ReservedVm.share`). Default: it gets its own (`ReservedVm.fill`). */
  readonly sharedBytes?: number | undefined
}

/** Captured state of a VM, without its memory. */
export interface CapturedState {
  /** File with the device state. */
  readonly statePath: string
  readonly disk: DiskSource
}

export type VmmError = VmError | ChannelFailed | ConfinementUnavailable | HostToolUnsuitable | InvalidConfiguration

/** The accelerator of this host, and why. */
export interface AcceleratorChoice {
  /** The driver's name of the accelerator, as in a `MachineSpec`. */
  readonly accelerator: string
  /** Result of the probe, for `doctor`. */
  readonly reason: string
}

/** A VM that has only a record and a folder. */
export interface ReservedVm {
  readonly record: VmRecord
  /** File of the VM's memory. A capture may write it in place of `fill`. */
  readonly memory: MemoryTarget
  /** Copies a captured memory into the VM's own. */
  readonly fill: (memoryPath: string) => Effect.Effect<void, VmError>
  /** Gives the VM the memory that it shares, in place of `fill`. Its descriptor must stay open until the VM has started. */
  readonly share: (memory: SharedMemory) => void
  /**
   * Continues a captured VM from its memory file. The agent still has the streams of that moment, the programs are stopped, and the guest
   * is a clone until `GuestSteps.renewal`: nothing may run in it before.
   */
  readonly restore: (captured: CapturedState) => Effect.Effect<Guest, VmmError, Scope.Scope>
}

interface AttachOptions {
  /** Chooses the streams that the channel keeps; the others end. Default: all. */
  readonly keep?: (stream: string) => boolean
  /** Runs if the guest is paused because the host's disk is full. The VM is attached once the guest resumes. */
  readonly onStill?: Effect.Effect<unknown>
}

/** Makes guests on one driver. */
export interface DriverService {
  /** Finds the driver's program on this host. Gives its path, for `doctor`. */
  readonly program: Effect.Effect<
    string,
    DriverUnavailable | HostToolMissing | HostToolUnsuitable | InvalidConfiguration
  >
  /** Chooses the accelerator of this host. Without a known answer, the probe of KVM boots a kernel. */
  readonly accelerator: (images: GuestImages, placeholder: Seed) => Effect.Effect<AcceleratorChoice, VmmError>
  /**
   * Restores a guest from the template of these images and sizes, and makes the template first if there is none. If the disk is an empty
   * one over the placeholder, the template has it mounted. The guest lives as long as the Scope. A template that fails to start is made
   * once more.
   */
  readonly restore: (request: RestoreRequest) => Effect.Effect<RestoredGuest, VmmError, Scope.Scope>
  /** Identity that the memory of this VM would need on this host. */
  readonly identity: (spec: MachineSpec, images: GuestImages, seed: Seed) => Effect.Effect<MachineIdentity, VmmError>
  /** Records a VM that will continue from captured memory. The Scope removes what exists of the VM. */
  readonly reserve: (request: ReserveCapturedRequest) => Effect.Effect<ReservedVm, VmmError, Scope.Scope>
  /** Makes a captured memory ready for any number of `fill`s, of this file or another name of it. No-op where it is ready. */
  readonly prepareMemory: (memoryPath: string) => Effect.Effect<void, VmError>
  /**
   * Whether so many VMs of this machine can share a memory: the driver and the host can, and the host has room for the memory beside what each VM may
   * write.
   */
  readonly canShare: (spec: MachineSpec, count: number) => Effect.Effect<boolean>
  /**
   * Makes the file of a captured memory one that several VMs share, where `canShare` holds. The Scope lets go of it; its pages live as long as the
   * last VM.
   */
  readonly shareMemory: (memoryPath: string) => Effect.Effect<SharedMemory, VmError, Scope.Scope>
  /** Admits reserved VMs, all or none. Call this before `fill`. */
  readonly admit: (
    reserved: ReadonlyArray<ReservedVm>
  ) => Effect.Effect<void, AdmissionRefused | NoSpace | StateDirectoryUnusable>
  /**
   * Attaches to a workspace's VM that has no owner: its processes continue, and the channel adopts their streams. This process then owns
   * the VM, and the Scope ends it. Fails with step `attach`, without a change of the VM, if there is no such VM, its process is gone, or
   * another process owns it.
   */
  readonly attach: (id: VmId, options?: AttachOptions) => Effect.Effect<Guest, VmmError, Scope.Scope>
}

/** Makes guests on the driver that a request names. The other members are QEMU's. */
export interface VmmService extends DriverService {
  readonly on: (driver?: DriverName) => DriverService
}
