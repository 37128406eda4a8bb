import * as fs from "node:fs"
import * as net from "node:net"
import * as path from "node:path"
import { Effect, type Scope } from "effect"
import { type HostToolMissing, type NoSpace, VmFailed } from "../contract/errors.ts"
import { failedAt } from "./failure.ts"
import { names } from "./machine.ts"
import { copySparse, type Frozen } from "./memory.ts"
import { awaitMigration } from "./migration.ts"
import type { Vm } from "./Vm.ts"

/** Device state of a microVM is some 80 KiB; a QEMU that was taken over must not fill our disk. */
const maxStateBytes = 64 * 1024 * 1024

/**
 * Writes the device state of a paused VM to a file. Memory is not in it: it is in the VM's memory file, which QEMU shares
 * (`x-ignore-shared`). The VM stays paused; its disks are usable again after `resume`.
 */
export const saveState = (vm: Vm, statePath: string): Effect.Effect<void, VmFailed, Scope.Scope> =>
  Effect.gen(function*() {
    const received = yield* receiveOnce(path.join(vm.paths.directory, names.migrationSocket), vm.record.uid, statePath)
    yield* vm.qmp.executeAll([
      ["migrate-set-capabilities", { capabilities: [{ capability: "x-ignore-shared", state: true }] }],
      ["migrate", { uri: `unix:${names.migrationSocket}` }]
    ]).pipe(Effect.mapError(failedAt("capture")))
    yield* awaitMigration(vm.qmp, "capture")
    yield* received
  }).pipe(Effect.raceFirst(vm.health.failure), Effect.mapError(failedAt("capture")))

/**
 * Captures a VM into `directory` as `mem` and `state` while it is paused, and leaves it paused. What the guest had written to its
 * disks must be frozen in the same pause for the two to fit together.
 */
export const capture = (
  vm: Vm,
  directory: string
): Effect.Effect<Frozen, VmFailed | NoSpace | HostToolMissing, Scope.Scope> =>
  Effect.gen(function*() {
    const frozen = { memoryPath: path.join(directory, "mem"), statePath: path.join(directory, "state") }
    yield* saveState(vm, frozen.statePath)
    yield* copySparse(vm.paths.memory, frozen.memoryPath, process.getuid?.() ?? 0)
    return frozen
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
