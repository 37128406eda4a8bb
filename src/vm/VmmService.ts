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
import type { Seed } from "../disk/workspace-disk.ts"
import type {
  CapturedState,
  Guest,
  GuestImages,
  ReserveCapturedRequest,
  RestoredGuest,
  RestoreRequest
} from "./guest.ts"
import type { MachineIdentity } from "./machine.ts"
import type { MachineSpec } from "./machine-spec.ts"
import type { VmId, VmRecord } from "./record.ts"
import type { MemoryTarget, VmError } from "./Vm.ts"

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

export interface AttachOptions {
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
