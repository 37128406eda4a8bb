import { Effect, Queue, type Scope } from "effect"
import type { Socket } from "node:net"
import * as path from "node:path"
import { VmFailed } from "../../../contract/errors/errors.ts"
import { bytesOnDisk } from "../../../system/files/usage.ts"
import { isStopped } from "../../../system/processes/identity.ts"
import { connectUnixSoon } from "../../../system/processes/unix-socket.ts"
import { deadlineScale } from "../../../system/settings/deadline-scale.ts"
import { liveVm } from "../../../system/telemetry/metrics.ts"
import type { MachineSpec } from "../../machine.ts"
import type { DiskState } from "../../record.ts"
import { failedAt } from "../failure.ts"
import { machineSteps } from "../machine-steps.ts"
import type { Ownership } from "../ownership.ts"
import { captureVm } from "./capture.ts"
import { makeEventQueue, watchHealth } from "./health.ts"
import { machineIdentity } from "./identity.ts"
import { makeLiveDisks } from "./live-disks.ts"
import { names } from "./machine.ts"
import type { QemuProcess } from "./qemu-process.ts"
import { type BothFaces, greet, type QemuVm } from "./qemu-vm.ts"
import { makeQmp, type Qmp, type QmpEvent } from "./qmp.ts"

/** How long QEMU itself may take to open its sockets. It needs 20 ms; the rest is for a host that swaps. */
const qemuStartTimeoutMs = 15_000 * deadlineScale

/** The connections to a QEMU that runs: its monitor, then the agent's port, one of each at a time. */
export const connectQemu = (ownership: Ownership, qemu: QemuProcess) =>
  Effect.gen(function*() {
    const death = Effect.flatMap(
      qemu.ended,
      (how) => new VmFailed({ step: "start", detail: `QEMU ended: ${how}`, consoleTail: "" })
    )
    // A connection that QEMU's end has cut is QEMU's end.
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
    // Before a frozen state arrives: QEMU then finds the port connected as it was when the state was frozen.
    const port = yield* connect(names.portSocket)
    const qmp = yield* orDeath(makeQmp(monitor, (event) => void Queue.offerUnsafe(events, event), {
      isStopped: () => isStopped(qemu.identity)
    })).pipe(
      Effect.mapError(failedAt("connect"))
    )
    return { events, port, qmp }
  })

/** A VM, once it is connected to. `disks` is what QEMU has open. */
export const makeVm = (options: {
  readonly ownership: Ownership
  readonly qemu: QemuProcess
  readonly connections: {
    readonly events: Queue.Dequeue<QmpEvent>
    readonly port: Socket
    readonly qmp: Qmp
  }
  readonly spec: MachineSpec
  readonly disks: DiskState
  /** What `query-status` of QEMU said, where others have missed its events. */
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
    const own: QemuVm = {
      id: record.id,
      uid: record.uid,
      spec,
      process: qemu.identity,
      identity: machineIdentity(spec, record.qemuBuild ?? "unknown"),
      confinement: record.confinement,
      steps: machineSteps,
      memoryBytes: Effect.sync(() => bytesOnDisk(paths.memory)),
      paths,
      qemu,
      qmp,
      health,
      disks,
      port,
      resume: Effect.tap(command("resume", "cont"), () => note(false)),
      pause: Effect.andThen(note(true), command("pause", "stop")),
      isPaused: () => isPaused,
      leave: Effect.suspend(() =>
        record.dieWithOwner === false
          ? ownership.leave
          : new VmFailed({ step: "leave", detail: "this VM ends with the process that made it", consoleTail: "" })
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
