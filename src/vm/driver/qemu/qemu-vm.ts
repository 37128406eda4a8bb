import { Effect, type Scope } from "effect"
import type { Socket } from "node:net"
import { type ChannelFailed, VmFailed } from "../../../contract/errors/errors.ts"
import { GuestChannel } from "../../../guest-channel/GuestChannel.ts"
import { isStopped } from "../../../system/processes/identity.ts"
import { deadlineScale } from "../../../system/settings/deadline-scale.ts"
import type { VmPaths } from "../../record.ts"
import type { ChannelOptions, Vm, VmError } from "../../Vm.ts"
import { type Accelerator, ofAccelerator } from "./accelerator.ts"
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
  /** Connection to the guest agent's port, from the VM's start on. */
  readonly port: Socket
  /** True from `pause` to the end of `resume` or of the step that hands over a paused VM. */
  readonly isPaused: () => boolean
}

/** A VM with both faces: `Vm` for its user, `QemuVm` for the driver. */
export interface BothFaces extends Vm, QemuVm {
  readonly disks: LiveDisks
}

/** Maximum time for a restored guest's agent to answer. Restore to answer is some 50 ms; a host with ten at once is slower. */
const helloTimeoutMs: Record<Accelerator, number> = { kvm: 10_000 * deadlineScale, tcg: 30_000 * deadlineScale }

/** Maximum time without a byte from the agent while a request waits for it. An emulated guest on a busy host is slower. */
const silenceMs: Record<Accelerator, number> = { kvm: 10_000 * deadlineScale, tcg: 20_000 * deadlineScale }

/** The same for a guest that is about to end. */
const endingSilenceMs = 5_000 * deadlineScale

/** A full host disk and our own pauses are reported elsewhere: requests wait until the guest resumes. */
const explainSilence = ({ health, isPaused, qemu: { identity } }: QemuVm) =>
  Effect.map(health.trouble, (trouble) => {
    if (trouble === "no-space" || isPaused()) return undefined
    return isStopped(identity) ? `its QEMU, process ${identity.pid}, is stopped by a signal or a debugger` : ""
  })

/**
 * Connects to the agent of a guest. Without `takeover` the agent's channel must be in a known state: just booted, or restored from a
 * template, which is idle. Fails with step `hello` if no answer comes in time.
 */
export const greet = (
  vm: QemuVm,
  options: ChannelOptions = { takeover: false },
  timeoutMs: number = ofAccelerator(vm.spec, helloTimeoutMs)
): Effect.Effect<GuestChannel, VmError | ChannelFailed, Scope.Scope> =>
  GuestChannel.connect({
    ...options,
    open: Effect.succeed(vm.port),
    helloTimeoutMs: timeoutMs * 2,
    silenceMs: ofAccelerator(vm.spec, silenceMs),
    endingSilenceMs,
    explainSilence: explainSilence(vm)
  })
    .pipe(
      Effect.raceFirst(vm.health.failure),
      Effect.timeoutOption(timeoutMs),
      Effect.flatMap((answer) =>
        answer._tag === "Some"
          ? Effect.succeed(answer.value)
          : Effect.flatMap(vm.health.consoleTail, (consoleTail) =>
            new VmFailed({
              step: "hello",
              detail: `the guest's agent did not answer within ${timeoutMs} ms`,
              consoleTail
            }))
      )
    )
