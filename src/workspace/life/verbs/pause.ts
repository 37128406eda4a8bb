import { Effect, Option } from "effect"
import * as path from "node:path"
import { WorkspaceNotReady } from "../../../contract/errors/errors.ts"
import { wakes, type WorkspaceOperation } from "../../../contract/rows/operations.ts"
import { linkGrown, readWorkspaceDisk } from "../../../lib/disk/workspace-disk.ts"
import type { ReservedVm } from "../../../lib/vm/model/guest.ts"
import { frozenIn } from "../../../lib/vm/model/machine.ts"
import { Vmm } from "../../../lib/vm/Vmm.ts"
import { syncFile } from "../../../system/files/atomic-file.ts"
import { ensureFolder, listFolder } from "../../../system/files/entries.ts"
import { asStep } from "../../../system/telemetry/spans.ts"
import { faultPoint } from "../../../system/waits/fault.ts"
import { clockReader, nowMs } from "../../../system/waits/time.ts"
import { alone, discardFolder, type Lifecycle, removeFolder } from "../../entry/context.ts"
import type { Generation } from "../../entry/current-generation.ts"
import { displayName, type Entry } from "../../entry/entry.ts"
import { unwritten, virtualBytesOf, type WorkspaceRecord } from "../../entry/record.ts"
import { residentsOf } from "../../residents/open/entry-residents.ts"
import type { Transition, TransitionServices } from "../engine/description.ts"
import { demandMoving } from "../engine/running.ts"
import { transit } from "../engine/transition.ts"
import { linkedBase } from "../guest/base.ts"
import { flush } from "../guest/flush.ts"
import { hostnameOf } from "../guest/generation.ts"
import { haveRoom, identityOf, seedOf } from "../snapshot/capture.ts"
import { mergeIfTooLong } from "../snapshot/flatten.ts"
import { continueAs, demandSame, type MemoryServices, onNextDisk, reserve } from "../snapshot/restore.ts"

type Paused = NonNullable<WorkspaceRecord["paused"]>

/** Why the waiters of a workspace's residents ended: its VM was paused. */
export const restReason = (entry: Entry): Effect.Effect<WorkspaceNotReady> =>
  Effect.map(displayName(entry), (workspace) =>
    new WorkspaceNotReady({
      workspace,
      state: "paused",
      detail: "its processes stand still, and continue after the next use of the workspace"
    }))

/** Writes memory and devices of the VM to the workspace's folder, and leaves the guest standing still. Gives its memory, and lets it go on. */
const suspend = (entry: Entry, generation: Generation) =>
  Effect.gen(function*() {
    const { channel, guest: { vm } } = generation
    const folder = entry.folder.paused
    const residents = yield* residentsOf(entry, "workspace.pause")
    yield* removeFolder(folder)
    yield* Effect.mapError(ensureFolder(folder), unwritten(entry.folder))
    faultPoint("pause:folder")
    // A start without the memory finds the files.
    yield* flush(channel).pipe(asStep("flush"))
    const { captured: identity } = yield* identityOf(entry, generation)
    const takenAtMs = yield* nowMs
    // The Scope outside: it learns of each interruption, and then lets the guest go on.
    const { goOn } = yield* Effect.scoped(Effect.interruptible(vm.capture(channel, {
      frozen: frozenIn(folder),
      memoryUid: process.getuid?.() ?? 0,
      stays: true
    }))).pipe(residents.quiesced)
    const hostname = hostnameOf(yield* entry.record.now)
    return { goOn, paused: { spec: vm.spec, identity, hostname, takenAtMs } satisfies Paused }
  })

/** Waits until memory and disk survive a power cut: the VM, which has both, is about to end. */
const keepForGood = (entry: Entry) =>
  Effect.gen(function*() {
    const record = yield* entry.record.now
    const { top } = yield* readWorkspaceDisk(entry.folder.disk(record.disk), virtualBytesOf(record))
    const folder = entry.folder.paused
    const names = yield* listFolder(folder)
    for (const file of [top, ...names.map((name) => path.join(folder, name)), folder]) yield* syncFile(file)
  }).pipe(
    Effect.catchTag("FileFailed", (failure) => Effect.fail(unwritten(entry.folder)(failure))),
    asStep("sync")
  )

/** The end of the VM, whose memory a next one continues. */
const pausing = (
  entry: Entry,
  rest: WorkspaceNotReady,
  unusedSeconds: number | undefined
): Transition<Vmm, Effect.Error<ReturnType<typeof suspend | typeof keepForGood>>> => {
  let taken: Effect.Success<ReturnType<typeof suspend>> | undefined
  return {
    name: "pause",
    entry,
    // An operation that uses the workspace from now on waits for the end of the pause, and resumes the workspace.
    shows: "paused",
    handOver: ({ old }) =>
      Option.match(old, {
        onNone: () => Effect.void,
        onSome: (generation) =>
          Effect.gen(function*() {
            taken = yield* suspend(entry, generation)
            faultPoint("pause:captured")
            yield* keepForGood(entry)
          })
      }),
    undone: Effect.suspend(() => Effect.andThen(taken?.goOn ?? Effect.void, discardFolder(entry.folder.paused))),
    change: ({ vm: _, ...record }) => ({
      ...record,
      phase: "stopped",
      ...(taken === undefined ? {} : { paused: taken.paused })
    }),
    durable: true,
    rest,
    event: { _tag: "paused", ...(unusedSeconds === undefined ? {} : { unusedSeconds }) },
    leaves: "paused"
  }
}

/**
 * Pauses a running workspace. False for a paused one, which stays unchanged. `unusedSeconds`: the reason, if no request asked for it. The
 * caller has the workspace alone.
 */
export const pause = (lifecycle: Lifecycle, entry: Entry, unusedSeconds?: number) =>
  Effect.gen(function*() {
    const running = yield* entry.generation.now
    if (Option.isNone(running)) return false
    yield* demandMoving(entry, running.value)
    yield* haveRoom(yield* running.value.guest.vm.memoryBytes, entry.folder.paused)
    yield* transit(lifecycle, pausing(entry, yield* restReason(entry), unusedSeconds))
    yield* mergeIfTooLong(entry)
    return true
  })

/** Why a paused workspace does not continue. */
type ResumeFailure = Effect.Error<
  | ReturnType<
    | typeof continueAs
    | typeof linkGrown
    | typeof linkedBase
    | typeof readWorkspaceDisk
    | typeof removeFolder
    | typeof reserve
  >
  | ReturnType<ReservedVm["fill"]>
>

/**
 * A VM that continues from the memory of the pause. What the guest writes before the commit goes to a new layer, which is removed with a VM that
 * fails: the memory fits the disk of the pause alone.
 */
const resuming = (
  entry: Entry,
  before: WorkspaceRecord,
  { hostname, spec, takenAtMs }: Paused,
  now: () => number
): Transition<MemoryServices, ResumeFailure> => {
  const next = onNextDisk(before)
  const [oldDisk, newDisk] = [entry.folder.disk(before.disk), entry.folder.disk(next.disk)]
  const frozen = frozenIn(entry.folder.paused)
  return {
    name: "resume",
    entry,
    build: (onUndo) =>
      Effect.gen(function*() {
        yield* onUndo(discardFolder(newDisk))
        yield* removeFolder(newDisk)
        const bytes = virtualBytesOf(before)
        yield* Effect.uninterruptible(linkGrown(yield* readWorkspaceDisk(oldDisk, bytes), newDisk, bytes))
        faultPoint("resume:disk")
        const images = yield* linkedBase(entry.folder.base)
        const { seed } = yield* readWorkspaceDisk(newDisk, bytes)
        const [vm] = yield* reserve(spec, [{ record: next, images, seed, scope: yield* Effect.scope }])
        yield* vm!.fill(frozen.memoryPath)
        return yield* continueAs(vm!, frozen.statePath, hostname, next, newDisk)
      }),
    change: onNextDisk,
    wakesAfterMs: () => now() - takenAtMs,
    adopts: true,
    event: { _tag: "resumed" },
    oldDisk
  }
}

/** Fails if the memory of a paused workspace cannot continue here. */
const demandContinuable = (entry: Entry, record: WorkspaceRecord, { identity, spec }: Paused) =>
  Effect.gen(function*() {
    const images = yield* linkedBase(entry.folder.base)
    const here = yield* Effect.flatMap(Vmm, (vmm) => vmm.identity(spec, images, seedOf(entry, record)))
    const workspace = yield* displayName(entry)
    yield* demandSame("a paused workspace", identity, here, { paused: workspace })
  })

/** Resumes a paused workspace. False for a running one, which stays unchanged. Its caller has the workspace alone. */
export const resume = (lifecycle: Lifecycle, entry: Entry) =>
  Effect.gen(function*() {
    const record = yield* entry.record.now
    const { paused } = record
    if (paused === undefined) return false
    yield* demandContinuable(entry, record, paused)
    const clock = yield* clockReader
    yield* transit(lifecycle, resuming(entry, record, paused, () => clock.nowMs()))
    return true
  })

/** Services of a resume, which every operation takes that may wake a workspace. */
export type ResumeServices = MemoryServices | TransitionServices

/** Resumes a workspace if it is paused, or about to be. */
const wake = (lifecycle: Lifecycle, entry: Entry) =>
  Effect.flatMap(
    entry.state.now,
    ({ state }) => state === "paused" ? Effect.asVoid(alone(lifecycle, entry)(resume(lifecycle, entry))) : Effect.void
  )

/**
 * The same before an operation that needs the VM, which uses the workspace until the Scope closes. The use comes first: after it no workspace
 * is paused for want of a use, and before it the state is visible.
 */
export const wakeFor = (
  lifecycle: Lifecycle,
  entry: Entry,
  operation: WorkspaceOperation
) => wakes(operation) ? Effect.andThen(entry.uses.use, wake(lifecycle, entry)) : Effect.void

/** The same for a client of a published port, who gets no error. */
export const wakeForClient = (lifecycle: Lifecycle, entry: Entry) =>
  Effect.map(Effect.context<ResumeServices>(), (services) =>
    wake(lifecycle, entry).pipe(
      Effect.catchCause((cause) => Effect.logWarning(`${entry.id} cannot be resumed for a client of its port`, cause)),
      Effect.provide(services)
    ))
