import type { Effect, Scope } from "effect"
import type { Socket } from "node:net"
import type {
  AdmissionRefused,
  GuestPanicked,
  HostToolMissing,
  ImageDamaged,
  NoSpace,
  StateDirectoryUnusable,
  VmFailed
} from "../contract/errors.ts"
import type { ConnectFailed } from "../system/unix-socket.ts"
import type { VmHealth } from "./driver/qemu/health.ts"
import type { LiveDisks } from "./driver/qemu/live-disks.ts"
import type { MachineSpec } from "./driver/qemu/machine.ts"
import type { QemuProcess } from "./driver/qemu/qemu-process.ts"
import type { Qmp } from "./driver/qemu/qmp.ts"
import type { VmId, VmPaths, VmRecord } from "./record/record.ts"

/** A microVM that exists. Its Scope ends it: QEMU first, then its memory, disks and folder. */
export interface Vm {
  readonly id: VmId
  readonly spec: MachineSpec
  readonly paths: VmPaths
  /** Host user that QEMU runs as. */
  readonly uid: number
  /** The record as it is on disk now. */
  readonly record: Effect.Effect<VmRecord>
  readonly qemu: QemuProcess
  readonly qmp: Qmp
  readonly health: VmHealth
  readonly disks: LiveDisks
  /** Connection to the guest agent's port, made when the VM was. One at a time: QEMU serves a further one when this has ended. */
  readonly port: Socket
  /** Connects to the agent's port anew, after `port` has ended. */
  readonly reconnectPort: Effect.Effect<Socket, ConnectFailed, Scope.Scope>
  /** Lets the guest run. */
  readonly resume: Effect.Effect<void, VmFailed>
  /** Stops the guest between two instructions. Its clocks stand still: check them after `resume`. */
  readonly pause: Effect.Effect<void, VmFailed>
  /** Between `pause` and the end of `resume`. */
  readonly isPaused: () => boolean
  /**
   * Lets the VM outlive its Scope: its end then closes connections only, and any process may attach to it. Not for VMs that die
   * with their maker.
   */
  readonly leave: Effect.Effect<void, VmFailed | NoSpace>
}

export type VmError =
  | VmFailed
  | GuestPanicked
  | NoSpace
  | AdmissionRefused
  | HostToolMissing
  | ImageDamaged
  | StateDirectoryUnusable
