import { Effect, type Scope } from "effect"
import * as fs from "node:fs"
import * as net from "node:net"
import * as path from "node:path"
import { type GuestPanicked, type HostToolMissing, type NoSpace, type VmFailed } from "../contract/errors.ts"
import { failedAt, fileFailedAt } from "./failure.ts"
import { type MachineSpec, names } from "./machine.ts"
import { copySparse, type Frozen } from "./memory.ts"
import { awaitMigration } from "./migration.ts"
import type { Vm } from "./Vm.ts"

/** Device state of a microVM is some 80 KiB; a QEMU that was taken over must not fill our disk. */
const maxStateBytes = 64 * 1024 * 1024

/**
 * Writes the device state of a paused VM to a file. Memory is not in it: it is in the VM's memory file, which QEMU shares
 * (`x-ignore-shared`). The VM stays paused; its disks are usable again after `resume`.
 */
const saveState = (vm: Vm, statePath: string): Effect.Effect<void, VmFailed | GuestPanicked, Scope.Scope> =>
  Effect.gen(function*() {
    const received = yield* receiveOnce(path.join(vm.paths.directory, names.migrationSocket), vm.uid, statePath)
    yield* vm.qmp.executeAll([
      ["migrate-set-capabilities", { capabilities: [{ capability: "x-ignore-shared", state: true }] }],
      ["migrate", { uri: `unix:${names.migrationSocket}` }]
    ]).pipe(Effect.mapError(failedAt("capture")))
    yield* awaitMigration(vm.qmp, "capture")
    yield* received
  }).pipe(Effect.raceFirst(vm.health.failure))

/** Memory and device state of an idle, paused VM, written into `directory` as `mem` and `state`. Its disks are no part of it. */
export const freezeMemory = (
  vm: Vm,
  directory: string
): Effect.Effect<Frozen, VmFailed | GuestPanicked | NoSpace | HostToolMissing, Scope.Scope> =>
  Effect.gen(function*() {
    const frozen = { memoryPath: path.join(directory, "mem"), statePath: path.join(directory, "state") }
    yield* saveState(vm, frozen.statePath)
    yield* copySparse(vm.paths.memory, frozen.memoryPath, process.getuid?.() ?? 0)
    return frozen
  })

/** A running VM at one moment: memory, device state, and the disk as it then was. */
export interface Capture {
  readonly spec: MachineSpec
  readonly frozen: Frozen
  /** Layers of the workspace disk over the seed, oldest first; nobody writes them any longer. */
  readonly layers: ReadonlyArray<string>
}

/**
 * Captures a running VM into `directory` in one pause: device state, memory, and the disk frozen at the same instant. The VM goes on
 * afterwards, also when the capture failed.
 */
export const captureVm = (
  vm: Vm,
  directory: string
): Effect.Effect<Capture, VmFailed | GuestPanicked | NoSpace | HostToolMissing, Scope.Scope> =>
  Effect.gen(function*() {
    const before = (yield* vm.disks.current).overlays.slice(0, -1).map((name) => path.join(vm.paths.directory, name))
    const kept = (file: string, index: number) =>
      Effect.try({
        try: () => {
          const target = path.join(directory, `${index}.qcow2`)
          fs.linkSync(file, target)
          return target
        },
        catch: fileFailedAt("capture", directory)
      })
    const { frozen, last } = yield* Effect.acquireUseRelease(
      vm.pause,
      () =>
        Effect.gen(function*() {
          const last = yield* vm.disks.freezeLayer
          return { last, frozen: yield* freezeMemory(vm, directory) }
        }),
      () => Effect.ignoreLogged(vm.resume)
    )
    const layers = yield* Effect.forEach([...before, last], kept)
    return { spec: vm.spec, frozen, layers }
  })

/**
 * Listens on a Unix socket for one connection and writes what comes to a file; the inner effect ends when all of it is written.
 * Node cannot hand QEMU a descriptor, and a confined QEMU may not start programs, so the state comes through a socket.
 */
const receiveOnce = (socketPath: string, uid: number, file: string) =>
  Effect.gen(function*() {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => fs.openSync(path.dirname(socketPath), fs.constants.O_RDONLY | fs.constants.O_DIRECTORY)),
      (fd) => Effect.sync(() => fs.closeSync(fd))
    )
    const short = `/proc/self/fd/${folder}/${path.basename(socketPath)}`
    const server = net.createServer()
    const written = new Promise<void>((resolve, reject) => {
      server.once("connection", (socket) => {
        server.close()
        const sink = fs.createWriteStream(file, { mode: 0o600, flags: "wx" })
        let bytes = 0
        socket.on("data", (chunk: Buffer) => {
          bytes += chunk.length
          if (bytes > maxStateBytes) socket.destroy(new Error(`device state over ${maxStateBytes} bytes`))
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
      Effect.async<void, VmFailed>((resume) => {
        server.once("error", (cause) => resume(Effect.fail(failedAt("capture")(cause))))
        server.listen(short, () => resume(Effect.void))
      }),
      () =>
        Effect.sync(() => {
          server.close()
          fs.rmSync(socketPath, { force: true })
        })
    )
    if (uid !== process.getuid?.()) yield* Effect.sync(() => fs.chownSync(socketPath, uid, uid))
    return Effect.tryPromise({ try: () => written, catch: (cause) => failedAt("capture")(cause as Error) })
  })
