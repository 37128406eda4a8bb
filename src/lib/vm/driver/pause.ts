import { Effect, Exit } from "effect"
import type { ChannelFailed, VmFailed } from "../../../contract/errors/errors.ts"
import { deadlineScale } from "../../../system/settings/deadline-scale.ts"
import { asStep } from "../../../system/telemetry/spans.ts"
import { monotonicMs, wallClockNs } from "../../../system/waits/time.ts"
import type { GuestChannel } from "../../guest-channel/GuestChannel.ts"
import { Calls } from "../../guest-channel/model/calls.ts"
import type { AgentCallFailed } from "../../guest-channel/model/errors.ts"
import { keepClock } from "../model/clock.ts"
import { failedAt } from "../model/failure.ts"
import type { Vm } from "../model/Vm.ts"
import { startPrograms, stopPrograms } from "./machine-steps.ts"

/** Maximum time for the guest's agent to confirm that its programs run again. */
const stillTimeoutMs = 20_000 * deadlineScale

/** A copy of a GiB takes half a second; a disk may be a hundred times slower. */
const captureTimeoutMs = 300_000 * deadlineScale

/** Runs work while the VM is paused and its programs are stopped. The work gets the number of bytes that have come from the guest. */
type AtRest = <A, E, R>(
  work: (receivedBytes: () => number) => Effect.Effect<A, E, R>
) => Effect.Effect<A, E | ChannelFailed | VmFailed, R>

const isRefusal = (failure: unknown): failure is AgentCallFailed =>
  (failure as { readonly _tag?: unknown })._tag === "AgentCallFailed"

/**
 * Captures a VM in one pause. `capture` does its work at rest: the guest's programs are stopped first, so that nothing runs in a copy until
 * the agent has made the copy unique. The VM continues afterwards, also after a failure. With `stays` it continues after a failure only, and
 * by `goOn`, and if its Scope closes with a failure.
 */
export const inOnePause = <A, E, R>(
  { channel, vm }: { readonly channel: GuestChannel; readonly vm: Pick<Vm, "pause" | "resume"> },
  capture: (atRest: AtRest) => Effect.Effect<A, E, R>,
  { stays = false }: { readonly stays?: boolean | undefined } = {}
) =>
  Effect.gen(function*() {
    let isStill = false
    const goOn = Effect.andThen(Effect.ignoreCause(vm.resume), resumePrograms(channel))
    const isLeftStill = (exit: Exit.Exit<unknown, unknown>) => stays && Exit.isSuccess(exit)
    // After an interruption here, the guest would stay paused, and no code would resume it.
    yield* Effect.addFinalizer((exit) => isStill && Exit.isFailure(exit) ? goOn : Effect.void)
    let since = 0
    let pauseMs = 0
    const atRest: AtRest = (work) =>
      Effect.flatMap(monotonicMs, (now) => {
        since = now
        return channel.silently({ last: stopPrograms, first: letProgramsRun }, (receivedBytes) =>
          Effect.acquireUseRelease(
            vm.pause,
            () => work(receivedBytes).pipe(asStep("paused")),
            (_, exit) => isLeftStill(exit) ? Effect.sync(() => void (isStill = true)) : Effect.ignoreCause(vm.resume)
          ))
      }).pipe(
        Effect.timeoutOrElse({
          duration: captureTimeoutMs,
          orElse: () => Effect.fail(failedAt("capture")(new Error("it took too long")))
        }),
        Effect.catchIf(
          isRefusal,
          (failure) => failedAt("capture")(new Error(`its programs cannot be stopped: ${failure.message}`))
        ),
        Effect.onExit((exit) => isLeftStill(exit) ? Effect.void : resumePrograms(channel)),
        Effect.ensuring(Effect.map(monotonicMs, (now) => (pauseMs = now - since)))
      )
    const captured = yield* capture(atRest)
    const letGoOn = Effect.andThen(Effect.sync(() => void (isStill = false)), goOn)
    return { captured, pauseMs, goOn: stays ? letGoOn : Effect.void }
  })

/** Sent before requests that wait: a command that starts among stopped programs would never end, and the agent does one thing at a time. */
const letProgramsRun = [() => Calls.clockSet({ ns: wallClockNs() }), () => startPrograms]

/** Waits until the programs that were stopped run again with a correct clock. */
const resumePrograms = (channel: GuestChannel) =>
  Effect.ignore(keepClock(channel)).pipe(
    Effect.andThen(channel.request(startPrograms)),
    Effect.interruptible,
    Effect.timeout(stillTimeoutMs),
    Effect.ignoreCause
  )
