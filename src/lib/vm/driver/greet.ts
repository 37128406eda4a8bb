import { Effect, type Scope } from "effect"
import { type ChannelFailed, VmFailed } from "../../../contract/errors/errors.ts"
import { isStopped } from "../../../system/processes/identity.ts"
import { deadlineScale } from "../../../system/settings/deadline-scale.ts"
import { type ConnectOptions, GuestChannel } from "../../guest-channel/GuestChannel.ts"
import type { ChannelOptions, Vm, VmError } from "../model/Vm.ts"
import { type Accelerator, ofAccelerator } from "./accelerator.ts"

/** Maximum time for a restored guest's agent to answer. Restore to answer is some 50 ms; a host with ten at once is slower. */
export const helloTimeoutMs: Record<Accelerator, number> = { kvm: 10_000 * deadlineScale, tcg: 30_000 * deadlineScale }

/** Maximum time without a byte from the agent while a request waits for it. An emulated guest on a busy host is slower. */
const silenceMs: Record<Accelerator, number> = { kvm: 10_000 * deadlineScale, tcg: 20_000 * deadlineScale }

/** The same for a guest that is about to end. */
const endingSilenceMs = 5_000 * deadlineScale

/** A VM whose agent is to be connected to. */
interface Greeted extends Pick<Vm, "health" | "process" | "spec"> {
  /** The VMM's name in errors. */
  readonly vmm: string
  readonly open: ConnectOptions["open"]
  readonly isPaused: () => boolean
}

/** A full host disk and our own pauses are reported elsewhere: requests wait until the guest resumes. */
const explainSilence = ({ health, isPaused, process, vmm }: Greeted) =>
  Effect.map(health.trouble, (trouble) => {
    if (trouble === "no-space" || isPaused()) return undefined
    return isStopped(process) ? `its ${vmm}, process ${process.pid}, is stopped by a signal or a debugger` : ""
  })

/** Failure of a guest whose agent did not answer. */
export const noAnswer = (timeoutMs: number, consoleTail: string) =>
  new VmFailed({ step: "hello", detail: `the guest's agent did not answer within ${timeoutMs} ms`, consoleTail })

/**
 * Connects to the agent of a guest. Without `takeover` the agent's channel must be in a known state: just booted, or restored from a
 * template, which is idle. Fails with step `hello` if no answer comes in time.
 */
export const greetAgent = (
  vm: Greeted,
  options: ChannelOptions = { takeover: false },
  timeoutMs: number = ofAccelerator(vm.spec, helloTimeoutMs)
): Effect.Effect<GuestChannel, VmError | ChannelFailed, Scope.Scope> =>
  GuestChannel.connect({
    ...options,
    open: vm.open,
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
          : Effect.flatMap(vm.health.consoleTail, (consoleTail) => noAnswer(timeoutMs, consoleTail))
      )
    )
