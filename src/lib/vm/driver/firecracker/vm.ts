import { Effect, Ref, Scope, SubscriptionRef } from "effect"
import * as path from "node:path"
import type { VmFailed } from "../../../../contract/errors/errors.ts"
import { attempt } from "../../../../system/files/failure.ts"
import { freeBytes } from "../../../../system/processes/host.ts"
import { processUsage } from "../../../../system/processes/identity.ts"
import { liveVm } from "../../../../system/telemetry/metrics.ts"
import { allOrNothing } from "../../../../system/waits/effects.ts"
import { failedAt, vmFailed } from "../../model/failure.ts"
import type { MachineSpec } from "../../model/machine.ts"
import { memoryBytes } from "../../model/memory-image.ts"
import type { ChannelOptions, Vm, VmTrouble } from "../../model/Vm.ts"
import { greetAgent, helloTimeoutMs, noAnswer } from "../greet.ts"
import { machineSteps } from "../machine-steps.ts"
import type { Ownership } from "../ownership.ts"
import type { VmmProcess } from "../vmm-process.ts"
import type { Api } from "./api.ts"
import { captureVm } from "./capture.ts"
import { readConsole } from "./console.ts"
import { dialAgent, insistently, mayAnswer } from "./dial.ts"
import { makeDisks } from "./disks.ts"
import { guardSpace, isTooFull, type Paused } from "./full-disk.ts"
import { watchHealth } from "./health.ts"
import { machineIdentity } from "./identity.ts"
import { names, pause, resume } from "./machine.ts"
import { makePoints } from "./points.ts"
import { freezeStore } from "./store.ts"
import { workspaceDevice } from "./workspace-device.ts"

/** A running Firecracker with what its driver needs. */
export interface FirecrackerVm extends Vm {
  readonly api: Api
  readonly ownership: Ownership
  readonly isTracked: Ref.Ref<boolean>
  /** Resumes an adopted VM, or leaves that to the guard of the space. */
  readonly resumeWithSpace: Effect.Effect<void, VmFailed>
  /** `channel` with another deadline. */
  readonly greet: (
    options: ChannelOptions,
    timeoutMs?: number
  ) => ReturnType<Vm["channel"]>
}

/** Whether the VM stands still, and for whom: a caller, or a full disk of the host. */
const makeStanding = (api: Api, isPaused: boolean) => {
  let paused: Paused = isPaused ? "caller" : "no"
  const note = (now: Paused) => Effect.sync(() => void (paused = now))
  return {
    paused: () => paused,
    note,
    resume: Effect.tap(api.send("resume", resume), () => note("no")),
    pause: Effect.andThen(note("caller"), api.send("pause", pause)),
    pauseForSpace: Effect.tap(api.send("pause", pause), () => note("full"))
  }
}

/** Pauses the VM while the host's disk is full. Gives `resumeWithSpace`. `run`: the folder of the VM's memory. */
const guardStanding = (
  { note, paused, pauseForSpace, resume }: ReturnType<typeof makeStanding>,
  { run, trouble }: { readonly run: string; readonly trouble: SubscriptionRef.SubscriptionRef<VmTrouble> }
) =>
  Effect.gen(function*() {
    // A folder that is gone ends with its VM.
    const free = Effect.orElseSucceed(attempt("statfs", run, () => freeBytes(run)), () => Infinity)
    yield* guardSpace({ free, trouble, paused, pause: pauseForSpace, resume })
    const standStill = Effect.andThen(note("full"), SubscriptionRef.set(trouble, "no-space"))
    return Effect.flatMap(free, (bytes) => isTooFull(bytes) ? standStill : resume)
  })

/** Greets the agent of the VM, again while the VM may answer. */
const makeGreet = (vm: Parameters<typeof greetAgent>[0]): FirecrackerVm["greet"] =>
(
  options,
  timeoutMs = helloTimeoutMs.kvm
) =>
  insistently(
    (attemptMs) => allOrNothing(greetAgent(vm, { ...options, takeover: true }, attemptMs)),
    mayAnswer
  ).pipe(
    Effect.timeoutOrElse({
      duration: timeoutMs,
      orElse: () =>
        Effect.flatMap(vm.health.consoleTail, (consoleTail) => Effect.fail(noAnswer(timeoutMs, consoleTail)))
    })
  )

/** Makes the VM of a Firecracker whose machine is loaded or about to boot. */
export const makeVm = (options: {
  readonly ownership: Ownership
  readonly firecracker: VmmProcess
  readonly api: Api
  readonly spec: MachineSpec
  readonly virtualBytes: number
  /** As in the record. */
  readonly isTracked: boolean
  /** Whether the VM stands still now. */
  readonly isPaused: boolean
}): Effect.Effect<FirecrackerVm, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { api, firecracker, ownership, spec, virtualBytes } = options
    const { paths } = ownership
    const record = yield* ownership.record
    yield* liveVm
    const isTracked = yield* Ref.make(options.isTracked)
    const ownBytes = () => processUsage(firecracker.identity.pid)?.privateBytes ?? 0
    const standing = makeStanding(api, options.isPaused)
    const consoleTail = yield* readConsole(path.join(paths.directory, names.console))
    const trouble = yield* SubscriptionRef.make<VmTrouble>("none")
    const health = yield* watchHealth({ firecracker, api, consoleTail, trouble })
    const disks = yield* makeDisks({ api, ownership, uid: record.uid, onResume: standing.note("no") })
    const inFolder = (name: string) => path.join(paths.directory, name)
    const own = {
      id: record.id,
      spec,
      process: firecracker.identity,
      identity: machineIdentity(spec, record.vmmBuild ?? "unknown"),
      confinement: record.confinement,
      health,
      disks,
      steps: machineSteps(workspaceDevice(virtualBytes)),
      api,
      ownership,
      isTracked,
      resume: standing.resume,
      pause: standing.pause,
      ownMemoryBytes: Effect.sync(ownBytes),
      memoryKind: "image" as const,
      memoryBytes: Effect.sync(() => memoryBytes(inFolder(names.memory)) + ownBytes()),
      leave: Effect.suspend(() =>
        record.dieWithOwner === false
          ? ownership.leave
          : vmFailed("leave", "this VM ends with the process that made it")
      )
    }
    const resumeWithSpace = yield* guardStanding(standing, { run: paths.run, trouble })
    const scope = yield* Effect.scope
    const dial = dialAgent(inFolder(names.vsock))
    const greet = makeGreet({
      ...own,
      vmm: "Firecracker",
      open: dial,
      isPaused: () => standing.paused() !== "no"
    })
    const { captured, points } = makePoints({ ...own, virtualBytes })
    return {
      ...own,
      points,
      greet,
      resumeWithSpace,
      channel: (options = { takeover: true }) => greet(options),
      capture: (channel, target) =>
        Effect.tap(
          captureVm({ ...own, virtualBytes, dial: Scope.provide(dial, scope) }, channel, target),
          () => captured
        ),
      freezeLayer: (top) =>
        Effect.acquireUseRelease(own.pause, () => freezeStore(paths, top), () => Effect.ignoreCause(own.resume)).pipe(
          Effect.catchTag("HostToolMissing", (failure) => Effect.fail(failedAt("freeze disk")(failure)))
        )
    }
  })
