import { Effect, Scope } from "effect"
import * as fs from "node:fs"
import * as net from "node:net"
import * as path from "node:path"
import type { GuestPanicked, HostToolMissing, NoSpace, VmFailed } from "../../../../contract/errors/errors.ts"
import { openFolder } from "../../../../system/files/content.ts"
import { removeFile, setOwner } from "../../../../system/files/entries.ts"
import { deadlineScale } from "../../../../system/settings/deadline-scale.ts"
import { asStep } from "../../../../system/telemetry/spans.ts"
import { yieldToEventLoop } from "../../../../system/waits/effects.ts"
import type { GuestChannel } from "../../../guest-channel/GuestChannel.ts"
import { failedAt, vmFailed } from "../../model/failure.ts"
import { type Frozen, frozenIn } from "../../model/machine.ts"
import type { Captured, CaptureError, CaptureTarget } from "../../model/Vm.ts"
import { copySparse, emptyFile } from "../memory.ts"
import { inOnePause } from "../pause.ts"
import { names } from "./machine.ts"
import type { QemuVm } from "./qemu-vm.ts"
import type { Qmp } from "./qmp.ts"
import { sealed } from "./shared-memory.ts"

/** Time for a MiB of memory in a migration, in ms: a copy of a MiB takes one, and a disk may be many times slower. */
const migrationMsOfMib = 50

/** Waits until a migration of the devices and so many MiB of memory, in or out, is complete. */
export const awaitMigration = (qmp: Qmp, step: string, memoryMib = 0) =>
  qmp.execute("query-migrate").pipe(
    Effect.map((answer) => (answer as { readonly status?: string; readonly "error-desc"?: string })),
    Effect.flatMap((answer) =>
      answer.status === "failed" || answer.status === "cancelled"
        ? Effect.fail(
          vmFailed(step, answer["error-desc"] ?? `migration ${answer.status}`)
        )
        : Effect.succeed(answer.status === "completed")
    ),
    Effect.mapError(failedAt(step)),
    Effect.repeat({ until: (done) => done }),
    Effect.timeoutOrElse({
      duration: (30_000 + memoryMib * migrationMsOfMib) * deadlineScale,
      orElse: () => Effect.fail(vmFailed(step, "QEMU did not finish in time"))
    }),
    Effect.asVoid
  )

/** Device state of a microVM has some 80 KiB. A QEMU under a guest's control must not fill the host's disk. */
const maxStateBytes = 64 * 1024 * 1024

/** Bytes of a MiB of memory in a state: its pages, each with a header. */
const stateBytesOfMib = 1024 * 1024 + 256 * 64

/** Bytes per second that a migration may move. QEMU's default would take 8 s for a GiB. */
const migrationBandwidth = 2 ** 40

/**
 * Writes the device state of a paused VM to a file. Memory is not included: QEMU shares it in the VM's memory file (`x-ignore-shared`). A VM without
 * a memory file has its memory in QEMU alone, so the state includes it. The VM stays paused. Its disks are usable after `resume`.
 */
const saveState = (vm: QemuVm, statePath: string): Effect.Effect<void, VmFailed | GuestPanicked, Scope.Scope> =>
  Effect.gen(function*() {
    const isShared = vm.memoryKind === "shared"
    const memoryMib = isShared ? vm.spec.memoryMib : 0
    const received = yield* receiveOnce(path.join(vm.paths.directory, names.migrationSocket), {
      uid: vm.uid,
      file: statePath,
      maxBytes: maxStateBytes + memoryMib * stateBytesOfMib
    })
    yield* vm.qmp.executeAll([
      ["migrate-set-capabilities", { capabilities: [{ capability: "x-ignore-shared", state: !isShared }] }],
      ["migrate-set-parameters", { "max-bandwidth": migrationBandwidth }],
      ["migrate", { uri: `unix:${names.migrationSocket}` }]
    ]).pipe(Effect.mapError(failedAt("capture")))
    yield* awaitMigration(vm.qmp, "capture", memoryMib)
    yield* received
  }).pipe(Effect.raceFirst(vm.health.failure))

/** Keeps the memory of a paused VM: in a file, or for VMs that share it. The file stays empty if the memory is in the state (`growEmpty`). */
const saveMemory = (vm: QemuVm, { frozen: { memoryPath }, memoryUid, shareIn }: CaptureTarget) => {
  if (vm.memoryKind === "shared") return Effect.as(emptyFile(memoryPath, memoryUid, 0), undefined)
  return Effect.scoped(Effect.flatMap(vm.memoryFile, (file) =>
    shareIn === undefined
      ? Effect.as(copySparse(file, memoryPath, memoryUid), undefined)
      : Scope.provide(sealed(file), shareIn)))
}

/** Writes memory and device state of an idle, paused VM into `directory` as `mem` and `state`, without its disks. */
export const freezeMemory = (
  vm: QemuVm,
  directory: string
): Effect.Effect<Frozen, VmFailed | GuestPanicked | NoSpace | HostToolMissing, Scope.Scope> =>
  Effect.gen(function*() {
    const frozen = frozenIn(directory)
    yield* saveState(vm, frozen.statePath)
    yield* copySparse(yield* vm.memoryFile, frozen.memoryPath, process.getuid?.() ?? 0)
    return frozen
  })

/** Captures a running VM in one pause. */
export const captureVm = (
  { channel, vm }: { readonly channel: GuestChannel; readonly vm: QemuVm },
  target: CaptureTarget
): Effect.Effect<Captured, CaptureError, Scope.Scope> =>
  Effect.gen(function*() {
    const { stays } = target
    const before = (yield* vm.disks.current).overlays.slice(0, -1).map((name) => path.join(vm.paths.directory, name))
    /** `freeze` gives the frozen layer. */
    const atOneMoment = <E, R>(freeze: Effect.Effect<string | undefined, E, R>) => (receivedBytes: () => number) =>
      Effect.gen(function*() {
        yield* untilDelivered(vm, receivedBytes)
        const frozen = yield* freeze
        yield* target.inPause ?? Effect.void
        yield* saveState(vm, target.frozen.statePath).pipe(asStep("device state"))
        const shared = yield* saveMemory(vm, target).pipe(asStep("memory copy"))
        return { frozen, shared }
      })
    const { captured: { frozen: last, shared }, goOn, pauseMs } = yield* inOnePause(
      { channel, vm },
      (atRest) =>
        stays === true
          // The migration of the device state has written QEMU's caches of the disk.
          ? atRest(atOneMoment(Effect.succeed(undefined)))
          : vm.disks.freezeLayer(target.top, (freeze) => atRest(atOneMoment(freeze.pipe(asStep("disk layer"))))),
      { stays }
    )
    const layers = last === undefined ? before : [...before, last]
    return { layers, pauseMs, goOn, ...(shared === undefined ? {} : { shared }) }
  }).pipe(Effect.raceFirst(vm.health.failure), asStep("capture"))

/** Turns of QEMU's main loop and of ours without a byte from the guest, after which no byte is left. */
const quietTurns = 2

/**
 * Waits until QEMU has delivered all bytes of the paused guest. A later delivery would change the guest's memory, which would then
 * contradict the device state.
 */
const untilDelivered = (vm: QemuVm, receivedBytes: () => number) =>
  Effect.gen(function*() {
    for (let quiet = 0; quiet < quietTurns;) {
      const before = receivedBytes()
      yield* Effect.mapError(vm.qmp.execute("query-status"), failedAt("capture"))
      yield* yieldToEventLoop
      yield* yieldToEventLoop
      quiet = receivedBytes() === before ? quiet + 1 : 0
    }
  })

/** A leftover socket of an interrupted capture would block the name for the next one. */
export const removeCaptureSocket = (directory: string) => removeSocket(path.join(directory, names.migrationSocket))

/** Failures are ignored: the QEMU that owns the folder may have put something else there, and the listen call reports that. */
const removeSocket = (file: string) => Effect.ignore(removeFile(file))

/**
 * Listens on a Unix socket for one connection and writes its bytes to a file. The inner effect ends when all of it is written. Node cannot
 * pass QEMU a descriptor, and a confined QEMU may not start programs, so the state comes through a socket.
 */
const receiveOnce = (
  socketPath: string,
  { file, maxBytes, uid }: { readonly file: string; readonly uid: number; readonly maxBytes: number }
) =>
  Effect.gen(function*() {
    const folder = yield* Effect.mapError(openFolder(path.dirname(socketPath)), failedAt("capture"))
    const short = `/proc/self/fd/${folder}/${path.basename(socketPath)}`
    const server = net.createServer()
    const ends: Array<net.Socket | fs.WriteStream> = []
    const written = new Promise<void>((resolve, reject) => {
      server.once("connection", (socket) => {
        server.close()
        const sink = fs.createWriteStream(file, { mode: 0o600, flags: "wx" })
        ends.push(socket, sink)
        let bytes = 0
        socket.on("data", (chunk: Buffer) => {
          bytes += chunk.length
          if (bytes > maxBytes) socket.destroy(new Error(`state over ${maxBytes} bytes`))
        })
        socket.once("error", reject)
        sink.once("error", reject)
        sink.once("close", resolve)
        socket.pipe(sink)
      })
      server.once("error", reject)
    })
    written.catch(() => {}) // looked at below; an interruption in between must not be an unhandled rejection
    yield* Effect.acquireRelease(
      Effect.andThen(
        removeSocket(socketPath),
        Effect.callback<void, VmFailed>((resume) => {
          server.once("error", (cause) => resume(Effect.fail(failedAt("capture")(cause))))
          server.listen(short, () => resume(Effect.void))
        })
      ),
      () =>
        Effect.andThen(
          Effect.sync(() => {
            server.close()
            for (const end of ends) end.destroy()
          }),
          removeSocket(socketPath)
        )
    )
    if (uid !== process.getuid?.()) yield* Effect.mapError(setOwner(socketPath, uid), failedAt("capture"))
    return Effect.tryPromise({ try: () => written, catch: (cause) => failedAt("capture")(cause as Error) })
  })
