import { Effect, Ref, Schedule, type Scope } from "effect"
import * as fs from "node:fs"
import type { Socket } from "node:net"
import * as path from "node:path"
import {
  ChannelFailed,
  type HostToolMissing,
  type ImageDamaged,
  type NoSpace,
  type VmFailed
} from "../../../contract/errors/errors.ts"
import type { GuestChannel } from "../../../guest-channel/GuestChannel.ts"
import { removeFile } from "../../../system/files/entries.ts"
import { attempt } from "../../../system/files/failure.ts"
import { deadlineScale } from "../../../system/settings/deadline-scale.ts"
import { asStep } from "../../../system/telemetry/spans.ts"
import { yieldToEventLoop } from "../../../system/waits/effects.ts"
import { frozenIn } from "../../machine.ts"
import type { Captured, CaptureError, CaptureTarget, Vm } from "../../Vm.ts"
import { fileFailedAt, vmFailed } from "../failure.ts"
import { copySparse } from "../memory.ts"
import type { Ownership } from "../ownership.ts"
import { inOnePause } from "../pause.ts"
import type { Api } from "./api.ts"
import { capture, captured, names } from "./machine.ts"
import { freezeStore, placeImage } from "./store.ts"

/** A VM whose memory can be written. */
export interface Freezable extends Pick<Vm, "health" | "pause" | "resume"> {
  readonly api: Api
  readonly ownership: Ownership
  /**
   * Whether the VM's own memory image has everything but the pages that Firecracker tracks. False after a boot, and after a capture whose
   * pages were lost: the next capture then writes all of the memory.
   */
  readonly isTracked: Ref.Ref<boolean>
}

/** A running VM with the parts that a capture needs. */
export interface Capturable extends Freezable {
  /** A new connection to the agent, which lives as long as the VM. */
  readonly dial: Effect.Effect<Socket, ChannelFailed>
}

/** Device state of a microVM has some 20 KiB. A Firecracker under a guest's control must not fill the host's disk. */
const maxStateBytes = 64 * 1024 * 1024

const mib = 1024 * 1024

const inFolder = ({ ownership }: Pick<Freezable, "ownership">, name: string) =>
  path.join(ownership.paths.directory, name)

const removeCaptured = (vm: Freezable) =>
  Effect.forEach([captured.state, captured.memory], (name) => Effect.ignore(removeFile(inFolder(vm, name))), {
    discard: true
  })

/** Lets Firecracker write the state of a paused VM into its own folder. */
const writeState = (vm: Freezable) =>
  Effect.gen(function*() {
    const which = (yield* Ref.get(vm.isTracked)) ? "Diff" : "Full"
    yield* removeCaptured(vm)
    // Firecracker forgets the tracked pages, whatever becomes of the file.
    yield* Ref.set(vm.isTracked, false)
    yield* vm.ownership.update((record) => ({ ...record, isTracked: false }))
    yield* vm.api.send("capture", capture(which))
    return which
  }).pipe(Effect.raceFirst(vm.health.failure))

/** Puts the device state where it belongs: a regular file that is not too large. */
const keepState = (vm: Pick<Freezable, "ownership">, to: string) =>
  attempt("copyfile", to, () => {
    const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = fs.constants
    const from = fs.openSync(inFolder(vm, captured.state), O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    try {
      const stat = fs.fstatSync(from)
      if (!stat.isFile() || stat.size > maxStateBytes) return false
      // No more than that: Firecracker may still write.
      const content = Buffer.alloc(stat.size)
      const length = fs.readSync(from, content, 0, stat.size, 0)
      const target = fs.openSync(to, O_WRONLY | O_CREAT | O_EXCL, 0o444)
      try {
        fs.writeFileSync(target, content.subarray(0, length))
      } finally {
        fs.closeSync(target)
      }
      return true
    } finally {
      fs.closeSync(from)
    }
  }).pipe(
    Effect.mapError(fileFailedAt("capture", to)),
    Effect.flatMap((kept) => kept ? Effect.void : vmFailed("capture", "its device state is no ordinary file"))
  )

/** Makes one whole memory image of what Firecracker has written, and continues the VM's own image from it. */
const keepMemory = (
  vm: Freezable,
  which: "Full" | "Diff",
  to: string
): Effect.Effect<void, VmFailed | NoSpace | HostToolMissing | ImageDamaged> =>
  Effect.gen(function*() {
    const { ownership } = vm
    const written = inFolder(vm, captured.memory)
    const { memoryMib } = yield* ownership.record
    const bytes = yield* Effect.mapError(
      attempt("lstat", written, () => fs.lstatSync(written).size),
      fileFailedAt("capture", written)
    )
    // The file of a diff may end with its last page.
    if (which === "Full" ? bytes !== memoryMib * mib : bytes > memoryMib * mib) {
      return yield* vmFailed("capture", `Firecracker wrote ${bytes} bytes of a memory of ${memoryMib} MiB`)
    }
    const uid = process.getuid?.() ?? 0
    yield* which === "Full"
      ? copySparse(written, to, uid)
      : copySparse(inFolder(vm, names.memory), to, uid, { changes: written })
    // Every VM that continues from it reads it, each as its own user. The folders above are for their owner.
    yield* Effect.mapError(attempt("chmod", to, () => fs.chmodSync(to, 0o444)), fileFailedAt("capture", to))
    yield* placeImage(ownership.paths, to, names.memory)
    yield* Ref.set(vm.isTracked, true)
    yield* ownership.update((record) => ({ ...record, isTracked: true }))
  }).pipe(Effect.ensuring(removeCaptured(vm)))

/** Writes memory and device state of an idle, paused VM into `directory`, without its disk. */
export const freezeMemory = (vm: Freezable, directory: string) =>
  Effect.gen(function*() {
    const frozen = frozenIn(directory)
    const which = yield* writeState(vm)
    yield* keepState(vm, frozen.statePath)
    yield* keepMemory(vm, which, frozen.memoryPath)
    return frozen
  })

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

/** Tries one new connection. The guest's kernel may end it with those of the time before. */
const tryMove = (vm: Capturable, channel: GuestChannel) =>
  Effect.flatMap(
    Effect.flatMap(vm.dial, channel.moveTo),
    (isMoved) => isMoved ? Effect.void : Effect.fail(new ChannelFailed({ detail: "the guest has cut the channel" }))
  )

/** A capture resets the guest's vsock, in the VM itself too. The channel goes on where it stood. */
const moveChannel = (vm: Capturable, channel: GuestChannel) =>
  tryMove(vm, channel).pipe(
    Effect.retry(Schedule.spaced("2 millis")),
    Effect.timeoutOrElse({
      duration: moveTimeoutMs,
      orElse: () => Effect.fail(new ChannelFailed({ detail: "the guest does not listen any more after a capture" }))
    }),
    Effect.catch(({ detail }) => channel.fail(detail))
  )

/** Captures a running VM in one pause. The whole memory image is made after the pause, from the pages that were written since the last. */
export const captureVm = (
  vm: Capturable,
  channel: GuestChannel,
  { frozen, inPause = Effect.void, top }: CaptureTarget
): Effect.Effect<Captured, CaptureError, Scope.Scope> =>
  Effect.gen(function*() {
    if (top === undefined) return yield* vmFailed("capture", "its disk ends with it")
    let isLeft = false
    const resume = Effect.andThen(vm.resume, Effect.suspend(() => isLeft ? moveChannel(vm, channel) : Effect.void))
    const { captured: which, pauseMs } = yield* inOnePause({ channel, vm: { pause: vm.pause, resume } }, (atRest) =>
      atRest((receivedBytes) =>
        Effect.gen(function*() {
          yield* untilDelivered(vm, receivedBytes)
          yield* channel.leave
          isLeft = true
          const which = yield* writeState(vm).pipe(asStep("device state"))
          yield* freezeStore(vm.ownership.paths, top).pipe(asStep("disk layer"))
          yield* inPause
          return which
        })
      ))
    yield* keepState(vm, frozen.statePath)
    yield* keepMemory(vm, which, frozen.memoryPath).pipe(asStep("memory image"))
    return { layers: [], pauseMs }
  }).pipe(Effect.raceFirst(vm.health.failure), asStep("capture"))
