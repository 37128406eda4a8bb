import { Effect, type Scope } from "effect"
import type { Socket } from "node:net"
import { ChannelFailed } from "../../../../contract/errors/errors.ts"
import { deadlineScale } from "../../../../system/settings/deadline-scale.ts"
import { asStep } from "../../../../system/telemetry/spans.ts"
import { yieldToEventLoop } from "../../../../system/waits/effects.ts"
import type { GuestChannel } from "../../../guest-channel/GuestChannel.ts"
import { vmFailed } from "../../model/failure.ts"
import type { Captured, CaptureError, CaptureTarget } from "../../model/Vm.ts"
import { inOnePause } from "../pause.ts"
import { insistently } from "./dial.ts"
import { type Freezable, keepWritten, writeState } from "./freeze-memory.ts"
import { copyLate } from "./point-disk.ts"
import { freezeStore } from "./store.ts"

/** A running VM with the parts that a capture needs. */
export interface Capturable extends Freezable {
  /** A new connection to the agent, which lives as long as the VM. */
  readonly dial: Effect.Effect<Socket, ChannelFailed>
  /** Virtual size of its disk. */
  readonly virtualBytes: number
}

/** Turns of Firecracker's event loop and of ours without a byte from the guest, after which no byte is left. */
const quietTurns = 2

/** Waits until Firecracker has delivered all bytes of the paused guest. */
const untilDelivered = (vm: Freezable, receivedBytes: () => number) =>
  Effect.gen(function*() {
    for (let quiet = 0; quiet < quietTurns;) {
      const before = receivedBytes()
      yield* vm.api.isPaused
      yield* yieldToEventLoop
      yield* yieldToEventLoop
      quiet = receivedBytes() === before ? quiet + 1 : 0
    }
  })

/** Maximum time for the agent to notice that Firecracker has cut the channel, and to take another one. */
const moveTimeoutMs = 10_000 * deadlineScale

const cut = new ChannelFailed({ detail: "the guest has cut the channel" })

/** Tries one new connection. The guest's kernel may end it with those of the time before. */
const tryMove = (vm: Capturable, channel: GuestChannel) => (timeoutMs: number) =>
  Effect.flatMap(
    Effect.flatMap(vm.dial, channel.moveTo),
    (isMoved) => isMoved ? Effect.void : Effect.fail(cut)
  ).pipe(Effect.timeoutOrElse({ duration: timeoutMs, orElse: () => Effect.fail(cut) }))

/** A capture resets the guest's vsock, in the VM itself too. The channel goes on where it stood. */
const moveChannel = (vm: Capturable, channel: GuestChannel) =>
  insistently(tryMove(vm, channel), () => true).pipe(
    Effect.timeoutOrElse({
      duration: moveTimeoutMs,
      orElse: () => Effect.fail(new ChannelFailed({ detail: "the guest does not listen any more after a capture" }))
    }),
    Effect.catch(({ detail }) => channel.fail(detail))
  )

/** Captures a running VM in one pause. Its memory is the pages that were written since the last capture, over the image of that one. */
export const captureVm = (
  vm: Capturable,
  channel: GuestChannel,
  { copy, frozen, inPause = Effect.void, stays, top }: CaptureTarget
): Effect.Effect<Captured, CaptureError, Scope.Scope> =>
  Effect.gen(function*() {
    if (top === undefined && copy === undefined && stays !== true) {
      return yield* vmFailed("capture", "its disk ends with it")
    }
    let isLeft = false
    let diskMark: string | undefined
    const resume = Effect.andThen(
      vm.resume,
      Effect.suspend(() => isLeft ? moveChannel(vm, channel) : Effect.void)
    )
    const { captured: which, goOn, pauseMs } = yield* inOnePause(
      { channel, vm: { pause: vm.pause, resume } },
      (atRest) =>
        atRest((receivedBytes) =>
          Effect.gen(function*() {
            yield* untilDelivered(vm, receivedBytes)
            yield* channel.leave
            isLeft = true
            const which = yield* writeState(vm).pipe(asStep("device state"))
            if (top !== undefined) yield* freezeStore(vm.ownership.paths, top).pipe(asStep("disk layer"))
            if (copy !== undefined) {
              diskMark = yield* copyLate(vm.ownership.paths, vm.virtualBytes, copy).pipe(asStep("disk copy"))
            }
            yield* inPause
            return which
          })
        ),
      { stays }
    )
    yield* keepWritten(vm, which, frozen).pipe(asStep("memory image"), Effect.onError(() => goOn))
    return { layers: [], pauseMs, diskMark, goOn }
  }).pipe(Effect.raceFirst(vm.health.failure), asStep("capture"))
