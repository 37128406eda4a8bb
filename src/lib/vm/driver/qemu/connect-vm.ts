import { Effect, Queue, type Scope } from "effect"
import type { Socket } from "node:net"
import * as path from "node:path"
import { isStopped } from "../../../../system/processes/identity.ts"
import { privateCopies } from "../../../../system/processes/private-copies.ts"
import { connectUnixSoon } from "../../../../system/processes/unix-socket.ts"
import { deadlineScale } from "../../../../system/settings/deadline-scale.ts"
import { liveVm } from "../../../../system/telemetry/metrics.ts"
import { failedAt, vmFailed } from "../../model/failure.ts"
import type { MachineSpec } from "../../model/machine.ts"
import type { DiskState } from "../../model/record.ts"
import { machineSteps } from "../machine-steps.ts"
import { memoryOfRunning, SHARED_MEMORY, touchedMemory } from "../memory.ts"
import type { Ownership } from "../ownership.ts"
import type { VmmProcess } from "../vmm-process.ts"
import { captureVm } from "./capture.ts"
import { continueGuest } from "./continue.ts"
import { makeEventQueue, watchHealth } from "./health.ts"
import { machineIdentity } from "./identity.ts"
import { makeLiveDisks } from "./live-disks.ts"
import { names } from "./machine.ts"
import { type BothFaces, greet, type QemuVm } from "./qemu-vm.ts"
import { makeQmp, type Qmp, type QmpEvent } from "./qmp.ts"

/** Maximum time for QEMU to open its sockets. It needs 20 ms; a host that swaps needs more. */
const qemuStartTimeoutMs = 15_000 * deadlineScale

/** Connects to a running QEMU: its monitor, then the agent's port. Only one connection of each is possible. */
export const connectQemu = (ownership: Ownership, qemu: VmmProcess) =>
  Effect.gen(function*() {
    const death = Effect.flatMap(
      qemu.ended,
      (how) => vmFailed("start", `QEMU ended: ${how}`)
    )
    // If the end of QEMU has cut a connection, the error is the end of QEMU.
    const orDeath = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>) =>
      Effect.raceFirst(
        Effect.catch(
          effect,
          (failure) => Effect.timeoutOrElse(death, { duration: "500 millis", orElse: () => Effect.fail(failure) })
        ),
        death
      )
    const connect = (name: string) =>
      orDeath(connectUnixSoon(path.join(ownership.paths.directory, name), { timeoutMs: qemuStartTimeoutMs })).pipe(
        Effect.mapError(failedAt("connect"))
      )
    const events = yield* makeEventQueue
    const monitor = yield* connect(names.qmpSocket)
    // Before a frozen state arrives, so that QEMU finds the port connected, as at the freeze.
    const port = yield* connect(names.portSocket)
    const qmp = yield* orDeath(makeQmp(monitor, (event) => void Queue.offerUnsafe(events, event), {
      isStopped: () => isStopped(qemu.identity)
    })).pipe(
      Effect.mapError(failedAt("connect"))
    )
    return { events, port, qmp }
  })

/** The workspace disk of every guest on QEMU. */
const workspaceDevice = { path: "/dev/vdb", attach: [], detach: [] }

/** Makes the VM of a connected QEMU. `disks` are the images that QEMU has open. */
export const makeVm = (options: {
  readonly ownership: Ownership
  readonly qemu: VmmProcess
  readonly connections: {
    readonly events: Queue.Dequeue<QmpEvent>
    readonly port: Socket
    readonly qmp: Qmp
  }
  readonly spec: MachineSpec
  readonly disks: DiskState
  /** Answer of QEMU's `query-status`, if earlier events were lost. */
  readonly status?: string
}): Effect.Effect<BothFaces, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { connections: { events, port, qmp }, qemu, spec, ownership } = options
    const { paths } = ownership
    const record = yield* ownership.record
    yield* liveVm
    let isPaused = false
    const note = (paused: boolean) => Effect.sync(() => void (isPaused = paused))
    const disks = yield* makeLiveDisks({
      qmp,
      ownership,
      uid: record.uid,
      state: options.disks,
      onResume: note(false)
    })
    const health = yield* watchHealth({ qemu, qmp, events, directory: paths.run, status: options.status ?? "running" })
    const command = (step: string, name: string) =>
      qmp.execute(name).pipe(Effect.asVoid, Effect.mapError(failedAt(step)))
    const running = { ...record, process: qemu.identity }
    const touchedBytes = () =>
      record.sharedBytes === undefined ? touchedMemory(paths, running) : privateCopies(qemu.identity.pid, SHARED_MEMORY)
    const own: QemuVm = {
      id: record.id,
      uid: record.uid,
      spec,
      process: qemu.identity,
      memoryFile: memoryOfRunning(paths, running),
      identity: machineIdentity(spec, record.vmmBuild ?? "unknown"),
      confinement: record.confinement,
      steps: machineSteps(workspaceDevice),
      memoryBytes: Effect.sync(() => (record.sharedBytes ?? 0) + touchedBytes()),
      ownMemoryBytes: Effect.sync(touchedBytes),
      memoryKind: record.sharedBytes === undefined ? "file" : "shared",
      paths,
      qemu,
      qmp,
      health,
      disks,
      port,
      resume: Effect.tap(continueGuest(qmp, health.giveUp), () => note(false)),
      pause: Effect.andThen(note(true), command("pause", "stop")),
      isPaused: () => isPaused,
      leave: Effect.suspend(() =>
        record.dieWithOwner === false
          ? ownership.leave
          : vmFailed("leave", "this VM ends with the process that made it")
      )
    }
    return {
      ...own,
      channel: (options) => greet(own, options),
      capture: (channel, target) => captureVm({ channel, vm: own }, target),
      freezeLayer: (top) =>
        Effect.asVoid(disks.freezeLayer(
          top,
          (freeze) => Effect.acquireUseRelease(own.pause, () => freeze, () => Effect.ignoreCause(own.resume))
        ))
    }
  })
