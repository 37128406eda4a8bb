import { Effect, Queue, type Scope } from "effect"
import * as fs from "node:fs"
import type { Socket } from "node:net"
import * as path from "node:path"
import {
  type AdmissionRefused,
  type GuestPanicked,
  type HostToolMissing,
  type ImageDamaged,
  type NoSpace,
  VmFailed
} from "../contract/errors.ts"
import { Paths } from "../system/Paths.ts"
import { type ConnectFailed, connectUnix, connectUnixSoon } from "../system/unix-socket.ts"
import { admit } from "./admission.ts"
import { chooseVmUid, type Confinement } from "./confinement.ts"
import { makeOverlay, placeImage } from "./disks.ts"
import { failedAt, fileFailedAt } from "./failure.ts"
import { makeEventQueue, type VmHealth, watchHealth } from "./health.ts"
import { type LiveDisks, makeLiveDisks } from "./live-disks.ts"
import { type Disks, type MachineSpec, names } from "./machine.ts"
import { fillMemory, type Frozen } from "./memory.ts"
import { awaitMigration } from "./migration.ts"
import { patience } from "./patience.ts"
import { type QemuProcess, startQemu, stateDescriptorInQemu } from "./qemu-process.ts"
import { makeQmp, type Qmp } from "./qmp.ts"
import {
  newFolderName,
  newRecord,
  newVmId,
  type VmId,
  type VmPaths,
  vmPaths,
  type VmPurpose,
  type VmRecord,
  writeRecord
} from "./record.ts"

/** A microVM that exists. Its Scope ends it: QEMU first, then its memory, disks and folder. */
export interface Vm {
  readonly id: VmId
  readonly spec: MachineSpec
  readonly paths: VmPaths
  readonly record: VmRecord
  readonly qemu: QemuProcess
  readonly qmp: Qmp
  readonly health: VmHealth
  readonly disks: LiveDisks
  /** Connection to the guest agent's port, made when the VM was. One at a time: QEMU serves a further one when this has ended. */
  readonly port: Socket
  /** Connects to the agent's port anew, after `port` has ended. */
  readonly reconnectPort: Effect.Effect<Socket, ConnectFailed, Scope.Scope>
  /** Lets the guest run. */
  readonly resume: Effect.Effect<void, VmFailed>
  /** Stops the guest between two instructions. Its clocks stand still: check them after `resume`. */
  readonly pause: Effect.Effect<void, VmFailed>
}

export interface VmRequest {
  readonly purpose: VmPurpose
  readonly spec: MachineSpec
  readonly qemuProgram: string
  readonly confinement: Confinement
  /** Seed image: raw ext4, what the workspace disk starts from. */
  readonly seed: { readonly path: string; readonly virtualBytes: number }
  /** Frozen layers of the workspace disk over the seed, oldest first; a new one is put on top. None by default. */
  readonly layers?: ReadonlyArray<string>
  /** Frozen memory and device state to go on from; undefined: boot the kernel. */
  readonly frozen: Frozen | undefined
  /** The VM ends with this process, however it ends. */
  readonly dieWithParent: boolean
}

export type VmError = VmFailed | GuestPanicked | NoSpace | AdmissionRefused | HostToolMissing | ImageDamaged

/** How long QEMU itself may take to open its sockets. It needs 20 ms; the rest is for a host that swaps. */
const qemuStartTimeoutMs = 15_000 * patience

/**
 * Makes a VM: journal, admission, memory, disks, QEMU, in this order, released in the opposite one. The guest does not run yet
 * when it was frozen (`resume` lets it); it boots at once otherwise.
 */
export const acquireVm = (request: VmRequest): Effect.Effect<Vm, VmError, Scope.Scope | Paths> =>
  Effect.gen(function*() {
    const installation = yield* Paths
    const id = newVmId()
    const paths = vmPaths(installation, id)
    const record = newRecord({
      id,
      purpose: request.purpose,
      memoryMib: request.spec.memoryMib,
      vcpuCount: request.spec.vcpuCount,
      uid: chooseVmUid(request.confinement.level)
    })
    yield* acquireFolder(paths, record)
    yield* admit(record)
    yield* fillMemory(paths, record, request.frozen)
    const seed = yield* placeImage(paths, request.seed.path, "seed.ext4")
    const layers = yield* Effect.forEach(
      request.layers ?? [],
      (layer, index) => placeImage(paths, layer, `${index}.qcow2`)
    )
    const overlay = yield* makeOverlay(paths, record.uid, request.seed.virtualBytes, `${layers.length}.qcow2`)
    const disks = diskChain(seed, layers, overlay)

    const stateDescriptor = request.frozen === undefined ? undefined : yield* openForReading(request.frozen.statePath)
    const qemu = yield* startQemu({
      qemu: request.qemuProgram,
      spec: request.spec,
      paths,
      record,
      level: request.confinement.level,
      disks,
      stateDescriptor,
      dieWithParent: request.dieWithParent
    })
    const death = Effect.flatMap(
      qemu.ended,
      (how) => new VmFailed({ step: "start", detail: `QEMU ended: ${how}`, consoleTail: "" })
    )
    // A connection that QEMU's end has cut is QEMU's end.
    const orDeath = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>) =>
      Effect.raceFirst(
        Effect.catchAll(effect, (failure) =>
          Effect.timeoutFail(death, { duration: "500 millis", onTimeout: () => failure })),
        death
      )
    const connect = (name: string) =>
      orDeath(connectUnixSoon(path.join(paths.directory, name), { timeoutMs: qemuStartTimeoutMs }))
    const events = yield* makeEventQueue
    const monitor = yield* connect(names.qmpSocket).pipe(Effect.mapError(failedAt("connect")))
    // Before the state arrives: QEMU then finds the port connected as it was when the state was frozen.
    const port = yield* connect(names.portSocket).pipe(Effect.mapError(failedAt("connect")))
    const qmp = yield* orDeath(makeQmp(monitor, (event) => void Queue.unsafeOffer(events, event))).pipe(
      Effect.mapError(failedAt("connect"))
    )
    const live = yield* makeLiveDisks({ qmp, paths, uid: record.uid, virtualBytes: request.seed.virtualBytes, disks })
    const health = yield* watchHealth({ qemu, qmp, events, directory: paths.run })
    if (request.frozen !== undefined) {
      yield* thaw(qmp).pipe(Effect.raceFirst(health.failure), Effect.mapError(failedAt("restore")))
    }
    const command = (step: string, name: string) =>
      qmp.execute(name).pipe(Effect.asVoid, Effect.mapError(failedAt(step)))
    return {
      id,
      spec: request.spec,
      paths,
      record,
      qemu,
      qmp,
      health,
      disks: live,
      port,
      reconnectPort: connectUnix(path.join(paths.directory, names.portSocket)),
      resume: command("resume", "cont"),
      pause: command("pause", "stop")
    }
  })

/** The VM's folder with its record: it appears under its name with both, or not at all. */
const acquireFolder = (paths: VmPaths, record: VmRecord) => {
  const folder = path.dirname(paths.directory)
  const fresh = path.join(folder, newFolderName(record.id))
  return Effect.acquireRelease(
    Effect.gen(function*() {
      const prepared = { ...paths, record: path.join(fresh, path.basename(paths.record)) }
      yield* Effect.try(() => {
        fs.mkdirSync(fresh, { recursive: true, mode: 0o700 })
        fs.mkdirSync(path.join(fresh, names.images), { mode: 0o755 })
        const run = path.join(fresh, names.run)
        fs.mkdirSync(run, { mode: 0o700 })
        if (record.uid !== process.getuid?.()) fs.chownSync(run, record.uid, record.uid)
      })
      yield* writeRecord(prepared, record)
      yield* Effect.try(() => fs.renameSync(fresh, paths.directory))
    }).pipe(
      Effect.mapError(({ cause }) => fileFailedAt("prepare", folder)(cause)),
      Effect.onError(() => Effect.sync(() => fs.rmSync(fresh, { recursive: true, force: true })))
    ),
    () =>
      Effect.promise(() => fs.promises.rm(paths.directory, { recursive: true, force: true })).pipe(Effect.ignoreLogged)
  )
}

const openForReading = (file: string) =>
  Effect.acquireRelease(
    Effect.try({ try: () => fs.openSync(file, "r"), catch: (cause) => failedAt("restore")(cause as Error) }),
    (fd) => Effect.sync(() => fs.closeSync(fd))
  )

const diskChain = (seed: string, layers: ReadonlyArray<string>, top: string): Disks => {
  const [oldest, ...others] = [...layers, top]
  return { seed, overlays: [oldest ?? top, ...others] }
}

/** Reads the frozen device state from the inherited descriptor; memory is in its file already. */
const thaw = (qmp: Qmp) =>
  Effect.gen(function*() {
    yield* qmp.executeAll([
      ["migrate-set-capabilities", {
        capabilities: [{ capability: "x-ignore-shared", state: true }, { capability: "events", state: true }]
      }],
      ["migrate-incoming", { uri: `fd:${stateDescriptorInQemu}` }]
    ])
    yield* awaitMigration(qmp, "restore")
  })
