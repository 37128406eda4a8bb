import type { Effect, Scope, Stream } from "effect"
import type {
  AdmissionRefused,
  ChannelFailed,
  DriverUnavailable,
  GuestPanicked,
  HostToolMissing,
  ImageDamaged,
  NoSpace,
  StateDirectoryUnusable,
  VmFailed
} from "../../../contract/errors/errors.ts"
import type { ProcessIdentity } from "../../../system/processes/identity.ts"
import type { DiskSource } from "../../disk/workspace-disk.ts"
import type { ConnectOptions, GuestChannel } from "../../guest-channel/GuestChannel.ts"
import type { ConfinementLevel } from "./confinement.ts"
import type { GuestSteps } from "./guest-steps.ts"
import type { Frozen, MachineIdentity, MachineSpec } from "./machine.ts"
import type { VmId, VmPurpose } from "./record.ts"

/** A microVM that exists. Its Scope ends the VM's processes, and then removes its memory, disks and folder. */
export interface Vm {
  readonly id: VmId
  readonly spec: MachineSpec
  /** Process whose end is the end of the VM. */
  readonly process: ProcessIdentity
  /** Requirements of the VM's memory for a host on which it continues. */
  readonly identity: MachineIdentity
  /** Absent for a VM of an older pyro. */
  readonly confinement: ConfinementLevel | undefined
  readonly health: VmHealth
  readonly disks: VmDisks
  /** Calls that give the guest its identity and its disk. */
  readonly steps: GuestSteps
  /**
   * Connects to the guest's agent. One channel at a time. Without `takeover` the agent must be idle: the guest has just booted, or was
   * restored from a template. Fails with step `hello` if the agent does not answer before the deadline.
   */
  readonly channel: (options?: ChannelOptions) => Effect.Effect<GuestChannel, VmError | ChannelFailed, Scope.Scope>
  /** Lets the guest run. */
  readonly resume: Effect.Effect<void, VmFailed>
  /** Stops the guest between two instructions. Its clocks stop too: check them after `resume`. */
  readonly pause: Effect.Effect<void, VmFailed>
  /** Bytes of memory that the guest has touched: a capture writes as many. */
  readonly memoryBytes: Effect.Effect<number>
  /** The part of them that no other VM shares. */
  readonly ownMemoryBytes: Effect.Effect<number>
  /**
   * Where its memory is. `file`: in one of its own, which a capture can keep as a memory that VMs share (`CaptureTarget.shareIn`). `shared`: in such a
   * memory, as far as the guest wrote nothing; a capture has all of it in the state. `image`: in one that the driver maps.
   */
  readonly memoryKind: "file" | "shared" | "image"
  /**
   * Captures memory, device state and disk at one moment. The guest's programs are stopped during the capture and continue afterwards, also
   * after a failure. `channel` is the VM's own.
   */
  readonly capture: (
    channel: GuestChannel,
    target: CaptureTarget
  ) => Effect.Effect<Captured, CaptureError, Scope.Scope>
  /**
   * Freezes the layer that the guest writes, at one moment, and continues on the empty overlay `top` (as `DiskSource.top`). The caller
   * flushes the guest's caches first. A failed freeze removes `top`.
   */
  readonly freezeLayer: (top: string) => Effect.Effect<void, VmFailed | NoSpace | ImageDamaged>
  /** Functions for points of a rewind with memory. Absent: points have the disk alone, by `freezeLayer`. */
  readonly points?: VmPoints | undefined
  /**
   * Lets the VM outlive its Scope: the end of the Scope then only closes connections, and the next process may attach to the VM. Fails
   * for a VM that ends with its maker.
   */
  readonly leave: Effect.Effect<void, VmFailed | NoSpace>
}

/** Why a VM does not run now. `no-space`: the host's disk is full, and the VM resumes when there is room. */
export type VmTrouble = "none" | "no-space" | "io-error"

export interface VmHealth {
  /** Never succeeds. Fails when the VM is lost: race every wait for the guest against it. */
  readonly failure: Effect.Effect<never, VmFailed | GuestPanicked>
  readonly trouble: Effect.Effect<VmTrouble>
  /** The present `trouble`, then each change. */
  readonly troubles: Stream.Stream<VmTrouble>
  /** End of the console's output of the guest's kernel and agent, escaped: a terminal shows it as text. */
  readonly consoleTail: Effect.Effect<string>
}

/** Options of a channel. `keep` chooses the streams that survive a takeover. */
export type ChannelOptions = Pick<ConnectOptions, "keep" | "takeover">

/** The disks of one running VM. */
export interface VmDisks {
  /** Number of layers above the seed, with the one that is written. */
  readonly layerCount: Effect.Effect<number>
  /**
   * Makes `disk` the workspace disk and its seed the baseline. The guest must have neither mounted: the kernel drops a device's cache at
   * the last unmount. The sizes must be those of the VM's start. The old images are closed in the background. `handOver` is for a paused
   * guest that has run nothing yet: the record gets the new purpose first, and the guest resumes without another round trip. After a
   * failure with `handOver` the VM must not be used.
   */
  readonly switchTo: (
    disk: DiskSource,
    options?: { readonly handOver?: VmPurpose }
  ) => Effect.Effect<void, VmFailed | NoSpace | HostToolMissing | ImageDamaged>
  /**
   * Hands over a paused guest with the disk that it has mounted, and resumes it. `top`, an empty overlay that outlives the VM (as
   * `DiskSource.top`), becomes another name of the written overlay.
   */
  readonly handOver: (purpose: VmPurpose, top: string | undefined) => Effect.Effect<void, VmFailed | NoSpace>
  /** Writes the content of the frozen layers from `from` upwards into one new file of the VM's folder. Gives the host path. */
  readonly merge: (from: number) => Effect.Effect<string, VmFailed | NoSpace>
  /** Makes QEMU read one file in place of several frozen layers. The content is the same, so the guest notices nothing. */
  readonly replace: (merged: Merged) => Effect.Effect<void, VmFailed | NoSpace | HostToolMissing | ImageDamaged>
}

/** Layers of a running VM that one file replaces. */
export interface Merged {
  /** Index of the oldest of these layers. */
  readonly from: number
  readonly count: number
  /** Host path of the file with the same content. */
  readonly file: string
}

/** File that a capture writes memory to, and the host user that owns the file. */
export interface MemoryTarget {
  readonly path: string
  readonly uid: number
}

/** A copy of a disk with all that was written over the seed. */
export interface DiskCopy {
  /** New file with the copy, which is a layer without others below it, perhaps with changes beside it (`changesOf`). */
  readonly to: string
  /**
   * An earlier copy, with the mark of the disk at its moment. `to` becomes another name of it: if nothing was written since, and otherwise, where the
   * file system shares no extents, with what differs from it as changes.
   */
  readonly last?: { readonly file: string; readonly mark?: string | undefined } | undefined
  /** Result of `VmPoints.copyEarly` for `to`: a capture copies the disk only if the guest has written meanwhile. */
  readonly early?: string | undefined
}

/** Points of one VM, which have its memory and a copy of its disk: `CaptureTarget.copy`. */
export interface VmPoints {
  /** A text that each write to the disk changes. The caller flushes the guest's caches first. */
  readonly diskMark: Effect.Effect<string, VmFailed | NoSpace>
  /** Bytes of memory that a capture writes at least. */
  readonly pendingBytes: Effect.Effect<number>
  /**
   * Copies a large disk while the guest runs, so that the pause of the capture which follows needs to copy nothing. Gives the mark with which the copy is
   * right, for `DiskCopy.early`. Undefined, and nothing at `to`, if it is not worth it or cannot be done.
   */
  readonly copyEarly: (copy: DiskCopy) => Effect.Effect<string | undefined>
  /** Copies the disk at one moment, without the guest's help. Gives its mark. */
  readonly copyDisk: (copy: DiskCopy) => Effect.Effect<string, VmFailed | NoSpace | HostToolMissing | ImageDamaged>
}

export interface CaptureTarget {
  /** Overlay that the VM continues on, if the overlay outlives the VM (as `DiskSource.top`). */
  readonly top?: string | undefined
  /** Copies the disk, and lets the VM continue on the same layer: no `top`. Only for a VM with `points`. */
  readonly copy?: DiskCopy | undefined
  /** Files for device state and memory; neither exists yet. */
  readonly frozen: Frozen
  /** Host user that owns the memory file. */
  readonly memoryUid: number
  /** Runs while the guest is paused, so its result is of the same moment. */
  readonly inPause?: Effect.Effect<void, NoSpace | StateDirectoryUnusable>
  /**
   * Keeps the memory as one that VMs share, until this Scope closes, and not in a file. For a VM whose memory is in a file, where `DriverService.canShare` holds.
   */
  readonly shareIn?: Scope.Scope | undefined
  /**
   * The guest stands still after a success, and its disk keeps the layer that it writes: no `top`. The caller ends the VM, or lets it go on by
   * `Captured.goOn`. After a failure, also of the Scope, the guest continues. Default: it continues in any case.
   */
  readonly stays?: true
}

/** A captured memory that several VMs continue from. No process can change it, and what a VM writes is the VM's own. */
export interface SharedMemory {
  /** This process's descriptor of the memory. */
  readonly descriptor: number
  /** Bytes that the captured VM had touched. */
  readonly bytes: number
}

export interface Captured {
  /** The VM's own names of the frozen layers, oldest first. They are removed with the VM. */
  readonly layers: ReadonlyArray<string>
  /** Its memory, with `CaptureTarget.shareIn`. */
  readonly shared?: SharedMemory
  /** Time that the guest's programs were stopped, in ms. */
  readonly pauseMs: number
  /** Mark of the disk that was copied (`VmPoints.diskMark`). */
  readonly diskMark?: string | undefined
  /** Lets a guest continue that stands still (`CaptureTarget.stays`). Never fails: the VM's health tells of its loss. */
  readonly goOn: Effect.Effect<void>
}

export type CaptureError =
  | VmFailed
  | GuestPanicked
  | NoSpace
  | HostToolMissing
  | ImageDamaged
  | StateDirectoryUnusable
  | ChannelFailed

export type VmError =
  | DriverUnavailable
  | VmFailed
  | GuestPanicked
  | NoSpace
  | AdmissionRefused
  | HostToolMissing
  | ImageDamaged
  | StateDirectoryUnusable
