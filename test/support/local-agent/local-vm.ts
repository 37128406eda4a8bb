import { Effect, Exit, type Scope, Stream } from "effect"
import * as fs from "node:fs"
import { ChannelFailed, VmFailed } from "../../../src/contract/errors/errors.ts"
import { GuestChannel } from "../../../src/lib/guest-channel/GuestChannel.ts"
import type { Ownership } from "../../../src/lib/vm/driver/ownership.ts"
import { fileFailedAt } from "../../../src/lib/vm/model/failure.ts"
import type { MachineIdentity, MachineSpec } from "../../../src/lib/vm/model/machine.ts"
import { diffName } from "../../../src/lib/vm/model/memory-image.ts"
import type {
  Captured,
  CaptureError,
  CaptureTarget,
  ChannelOptions,
  Vm,
  VmHealth
} from "../../../src/lib/vm/model/Vm.ts"
import { attempt } from "../../../src/system/files/failure.ts"
import { connectUnixSoon } from "../../../src/system/processes/unix-socket.ts"
import { deadlineScale } from "../../../src/system/settings/deadline-scale.ts"
import { monotonicMs } from "../../../src/system/waits/time.ts"
import { type AgentProcess, tailOf } from "./agent-process.ts"
import type { Directories } from "./directories.ts"
import { type LocalDisks, makeDisks } from "./disks.ts"
import { copyTo, makePoints } from "./points.ts"
import { continueProcesses, stopProcesses } from "./processes.ts"
import { parts } from "./sandbox.ts"
import { localSteps } from "./steps.ts"
import { captureVolatile, volatileBytes } from "./volatile.ts"

/** How long an agent may take to open its socket and to answer. */
const helloTimeoutMs = 20_000 * deadlineScale

/** A VM whose guest is a local process. */
export const makeVm = (request: {
  readonly ownership: Ownership
  readonly agent: AgentProcess
  readonly directories: Directories
  readonly spec: MachineSpec
  readonly identity: MachineIdentity
  readonly hasMemoryPoints: boolean
}): Effect.Effect<Vm> =>
  Effect.gen(function*() {
    const { agent, directories, hasMemoryPoints, identity, ownership, spec } = request
    const { paths } = ownership
    const { console } = parts(paths)
    const record = yield* ownership.record
    const pause = stopProcesses(agent.identity)
    const resume = continueProcesses(agent.identity)
    const disks = yield* makeDisks(directories, ownership, resume)
    const health = healthOf(agent, console)
    const paused = <A, E>(work: Effect.Effect<A, E>) => Effect.acquireUseRelease(pause, () => work, () => resume)

    const capture = (target: CaptureTarget): Effect.Effect<Captured, CaptureError> =>
      Effect.gen(function*() {
        const since = yield* monotonicMs
        const { diskMark, layers } = yield* Effect.acquireUseRelease(
          pause,
          () => captured(disks, ownership, target),
          (_, exit) => target.stays === true && Exit.isSuccess(exit) ? Effect.void : resume
        )
        return { layers, diskMark, pauseMs: (yield* monotonicMs) - since, goOn: resume }
      }).pipe(Effect.raceFirst(health.failure))

    return {
      id: record.id,
      spec,
      process: agent.identity,
      identity,
      confinement: undefined,
      health,
      disks,
      steps: localSteps,
      channel: (options) => connect(request, health, options),
      resume,
      pause,
      memoryBytes: volatileBytes(paths),
      ownMemoryBytes: volatileBytes(paths),
      memoryKind: "image",
      capture: (_channel, target) => capture(target),
      points: hasMemoryPoints ? makePoints(disks, { paused, pendingBytes: Effect.succeed(0) }) : undefined,
      freezeLayer: (top) => Effect.asVoid(paused(disks.freeze(top))),
      leave: Effect.suspend(() =>
        record.dieWithOwner === false
          ? ownership.leave
          : new VmFailed({ step: "leave", detail: "this VM ends with the process that made it", consoleTail: "" })
      )
    }
  })

/** An agent has no device state: the file is empty. */
const captured = (disks: LocalDisks, { paths }: Ownership, { copy, frozen, inPause, stays, top }: CaptureTarget) =>
  Effect.gen(function*() {
    const layers = stays === true || copy !== undefined ? [] : yield* disks.freeze(top)
    const diskMark = copy === undefined ? undefined : yield* copyTo(disks, copy)
    yield* inPause ?? Effect.void
    yield* captureVolatile(paths, frozen.memoryPath)
    if (copy !== undefined) yield* asDiff(frozen.memoryPath)
    yield* attempt("write", frozen.statePath, () => fs.writeFileSync(frozen.statePath, "", { mode: 0o600, flag: "wx" }))
      .pipe(Effect.mapError(fileFailedAt("capture", frozen.statePath)))
    return { diskMark, layers }
  })

/** Makes a captured memory one diff over an image that is a hole: points of a driver that keeps memory as diffs. */
const asDiff = (memoryPath: string) =>
  attempt("rename", memoryPath, () => {
    fs.renameSync(memoryPath, diffName(memoryPath, 1))
    fs.writeFileSync(memoryPath, "", { mode: 0o600 })
    fs.truncateSync(memoryPath, fs.statSync(diffName(memoryPath, 1)).size)
  }).pipe(Effect.mapError(fileFailedAt("capture", memoryPath)))

const healthOf = ({ ended, identity }: AgentProcess, console: string): VmHealth => ({
  failure: Effect.flatMap(ended, () =>
    new VmFailed({
      step: "run",
      detail: `the guest agent, process ${identity.pid}, ended`,
      consoleTail: tailOf(console)
    })),
  trouble: Effect.succeed("none"),
  troubles: Stream.concat(Stream.succeed("none" as const), Stream.never),
  consoleTail: Effect.sync(() => tailOf(console))
})

const connect = (
  { ownership: { paths } }: { readonly ownership: Ownership },
  health: VmHealth,
  options: ChannelOptions = { takeover: false }
): Effect.Effect<GuestChannel, VmFailed | ChannelFailed, Scope.Scope> =>
  GuestChannel.connect({
    ...options,
    open: Effect.mapError(
      connectUnixSoon(parts(paths).socket, { timeoutMs: helloTimeoutMs }),
      ({ message }) => new ChannelFailed({ detail: message })
    ),
    helloTimeoutMs
  }).pipe(
    // A panic is a kernel's.
    Effect.raceFirst(Effect.catchTag(health.failure, "GuestPanicked", Effect.die))
  )
