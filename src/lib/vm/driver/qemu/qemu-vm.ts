import { Effect, type Scope } from "effect"
import type { Socket } from "node:net"
import type { VmFailed } from "../../../../contract/errors/errors.ts"
import type { VmPaths } from "../../model/record.ts"
import type { ChannelOptions, Vm } from "../../model/Vm.ts"
import { greetAgent } from "../greet.ts"
import type { VmmProcess } from "../vmm-process.ts"
import type { LiveDisks } from "./live-disks.ts"
import type { Qmp } from "./qmp.ts"

/** A running QEMU as its driver sees it. */
export interface QemuVm extends Omit<Vm, "capture" | "channel" | "freezeLayer"> {
  readonly paths: VmPaths
  /** Host user that QEMU runs as. */
  readonly uid: number
  readonly qemu: VmmProcess
  readonly qmp: Qmp
  readonly disks: LiveDisks
  /** Path of its memory file, as long as the Scope is open. */
  readonly memoryFile: Effect.Effect<string, VmFailed, Scope.Scope>
  /** Connection to the guest agent's port, from the VM's start on. */
  readonly port: Socket
  /** True from `pause` to the end of `resume` or of the step that hands over a paused VM. */
  readonly isPaused: () => boolean
}

/** A VM with both faces: `Vm` for its user, `QemuVm` for the driver. */
export interface BothFaces extends Vm, QemuVm {
  readonly disks: LiveDisks
}

/** Connects to the agent of a guest through QEMU's port. */
export const greet = (vm: QemuVm, options?: ChannelOptions, timeoutMs?: number) =>
  greetAgent({ ...vm, vmm: "QEMU", process: vm.qemu.identity, open: Effect.succeed(vm.port) }, options, timeoutMs)
