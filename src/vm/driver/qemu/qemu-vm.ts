import type { Socket } from "node:net"
import type { VmPaths } from "../../record.ts"
import type { Vm } from "../../Vm.ts"
import type { LiveDisks } from "./live-disks.ts"
import type { QemuProcess } from "./qemu-process.ts"
import type { Qmp } from "./qmp.ts"

/** A running QEMU as its driver sees it. */
export interface QemuVm extends Omit<Vm, "capture" | "channel" | "freezeLayer"> {
  readonly paths: VmPaths
  /** Host user that QEMU runs as. */
  readonly uid: number
  readonly qemu: QemuProcess
  readonly qmp: Qmp
  readonly disks: LiveDisks
  /** Connection to the guest agent's port, made when the VM was. */
  readonly port: Socket
  /** Between `pause` and the end of `resume`, or of the step that hands over a paused VM. */
  readonly isPaused: () => boolean
}

/** A VM with both faces: `Vm` for its user, `QemuVm` for the driver. */
export interface BothFaces extends Vm, QemuVm {
  readonly disks: LiveDisks
}
