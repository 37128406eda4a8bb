import { Effect, Option, type Scope } from "effect"
import { NoSpace } from "../../../contract/errors/errors.ts"
import { layerCount, makeWorkspaceDisk, type Seed, shareLayers } from "../../../lib/disk/workspace-disk.ts"
import { copyPushed } from "../../../lib/seeding/model/pushed.ts"
import type { MachineIdentity } from "../../../lib/vm/model/machine.ts"
import type { CaptureTarget, MemoryTarget, SharedMemory, Vm } from "../../../lib/vm/model/Vm.ts"
import { Vmm } from "../../../lib/vm/Vmm.ts"
import { ensureFolder, makeFolder } from "../../../system/files/entries.ts"
import { attempt, toHostError } from "../../../system/files/failure.ts"
import type { Paths } from "../../../system/files/Paths.ts"
import { freeBytes } from "../../../system/processes/host.ts"
import { asStep } from "../../../system/telemetry/spans.ts"
import { faultPoint } from "../../../system/waits/fault.ts"
import { nowMs } from "../../../system/waits/time.ts"
import { endUnattached } from "../../entry/context.ts"
import type { Generation } from "../../entry/current-generation.ts"
import type { Entry } from "../../entry/entry.ts"
import { unwritten, virtualBytesOf, type WorkspaceFolder, type WorkspaceRecord } from "../../entry/record.ts"
import { noStates, type ResidentStates } from "../../entry/resident.ts"
import { residentsOf } from "../../residents/open/entry-residents.ts"
import { copyHeaderSecrets } from "../../residents/secret/header-secret-file.ts"
import { copySecrets } from "../../residents/secret/secret-file.ts"
import { linkedBase } from "../guest/base.ts"
import { flush } from "../guest/flush.ts"
import { type announced, type CaptureFolder, type Snapshot, writeSnapshot } from "../records/snapshot.ts"

/** The seed image of a workspace's disk, under its VM's name. */
export const seedOf = (entry: Entry, record: WorkspaceRecord): Seed => ({
  path: `${entry.folder.disk(record.disk)}/seed.ext4`,
  virtualBytes: virtualBytesOf(record)
})

/** Machine of this workspace's memory: with its settings at the start, not the present ones. */
export const identityOf = (entry: Entry, { guest: { vm } }: Generation) =>
  Effect.gen(function*() {
    const record = yield* entry.record.now
    const vmm = yield* Vmm
    const here = yield* vmm.identity(vm.spec, yield* linkedBase(entry.folder.base), seedOf(entry, record))
    return { here, captured: vm.identity }
  })

/** Whether a capture can keep the memory of a VM as one that so many VMs share. */
export const canShare = ({ memoryKind, spec }: Vm, count: number) =>
  Effect.flatMap(
    Vmm,
    (vmm) => memoryKind === "file" ? vmm.on(spec.driver).canShare(spec, count) : Effect.succeed(false)
  )

/** Services that store the state of a VM in files. */
export type CaptureServices = Paths | Vmm

/**
 * Stores the present state of a workspace in an existing, empty folder: disk, pushed files and, for a running workspace if
 * requested, memory, device state and running commands. The workspace continues afterwards, also after a failure. The caller holds
 * the workspace alone. With `shareIn`, the memory is in no file, and is let go of when this Scope closes.
 */
export const capture = (
  entry: Entry,
  folder: CaptureFolder,
  memory: MemoryTarget | undefined,
  shareIn?: Scope.Scope
) =>
  Effect.gen(function*() {
    const record = yield* entry.record.now
    const disk = entry.folder.disk(record.disk)
    const generation = yield* entry.generation.now
    yield* Effect.mapError(makeFolder(folder.logs), unwritten(entry.folder))
    const prepared = Option.isSome(generation)
      ? yield* prepare(entry, generation.value, folder, memory, shareIn)
      : yield* Effect.as(endUnattached(entry), undefined)
    const layers = yield* layerCount(disk)
    // From here on the disk has one more layer, which is empty and changes nothing.
    const top = yield* makeWorkspaceDisk(disk, virtualBytesOf(record))
    faultPoint("take:layer")
    const takenAtMs = yield* nowMs
    const captured = prepared === undefined ? undefined : yield* prepared(folder, top)
    faultPoint("take:captured")
    yield* shareLayers(disk, folder.disk, layers).pipe(asStep("share layers"))
    yield* copyPushed(entry.folder.directory, folder.directory)
    yield* copySecrets(entry.folder.directory, folder.directory)
    yield* copyHeaderSecrets(entry.folder.directory, folder.directory)
    return { takenAtMs, layers, residents: noStates, ...captured }
  }).pipe(asStep("take"), entry.pushLock.hold, Effect.uninterruptible)

/** Announces a snapshot in its folder, and stores the present state of `from` in it. After a failure, the caller removes the rest. */
export const captureAs = <E, R>(
  from: Entry,
  workspace: WorkspaceFolder,
  { folder, onDisk, record, shareIn }: Pick<Snapshot, "folder"> & {
    readonly record: ReturnType<typeof announced>
    /** Residents of the disk, without a memory. */
    readonly onDisk?: ResidentStates | undefined
    /** As in `capture`. */
    readonly shareIn?: Scope.Scope | undefined
  },
  onAnnounced: Effect.Effect<void, E, R>
) =>
  Effect.gen(function*() {
    yield* Effect.mapError(ensureFolder(folder.directory), unwritten(workspace))
    yield* writeSnapshot(workspace, folder, record)
    yield* onAnnounced
    const memory = onDisk === undefined ? { path: folder.frozen.memoryPath, uid: process.getuid?.() ?? 0 } : undefined
    const { shared, ...captured } = yield* capture(from, folder, memory, shareIn)
    const residents = onDisk ?? captured.residents
    const ready = { ...record, phase: "ready" as const, captured: { ...captured, residents } }
    yield* writeSnapshot(workspace, folder, ready)
    const snapshot: Snapshot & { readonly shared: SharedMemory | undefined } = { folder, record: ready, shared }
    return snapshot
  })

/** Does all checks before the pause. Gives the capture itself. */
const prepare = (
  entry: Entry,
  generation: Generation,
  folder: CaptureFolder,
  memory: MemoryTarget | undefined,
  shareIn: Scope.Scope | undefined
) =>
  Effect.gen(function*() {
    const { guest } = generation
    const { vm } = guest
    if (memory === undefined) {
      yield* flush(generation.channel).pipe(asStep("flush"))
      return (_folder: CaptureFolder, top: string) => Effect.as(vm.freezeLayer(top), undefined)
    }
    const { captured: identity } = yield* identityOf(entry, generation)
    const target = vm.memoryKind === "shared" ? folder.frozen.statePath : memory.path
    if (shareIn === undefined) yield* haveRoom(yield* vm.memoryBytes, target)
    yield* flush(generation.channel).pipe(asStep("flush"))
    return (folder: CaptureFolder, top: string) =>
      Effect.map(
        captureRunning(entry, { guest, identity, memory, shareIn }, folder, { top }),
        ({ diskMark: _, ...captured }) => captured
      )
  })

/**
 * Stores memory, device state, disk and residents of one moment in a folder. `disk`: the layer that the VM continues on, or the copy that is made of
 * the disk. `noting` runs at that moment.
 */
export const captureRunning = (
  entry: Entry,
  { guest: { channel, vm }, identity, memory, shareIn }: Pick<Generation, "guest"> & {
    readonly identity: MachineIdentity
    readonly memory: MemoryTarget
    /** Scope of a memory that several VMs share, in place of the target. @default the target gets the memory */
    readonly shareIn?: Scope.Scope | undefined
  },
  folder: CaptureFolder,
  disk: Pick<CaptureTarget, "copy" | "top">,
  noting: () => void = () => {}
) =>
  Effect.gen(function*() {
    const residents = yield* residentsOf(entry, "workspace.snapshot.create")
    return yield* Effect.gen(function*() {
      let noted: ResidentStates = noStates
      // An interrupted capture cleans up after itself, and waits for the VM's end, which may never come.
      const { diskMark, pauseMs, shared } = yield* Effect.interruptible(Effect.scoped(vm.capture(channel, {
        ...disk,
        frozen: { memoryPath: memory.path, statePath: folder.frozen.statePath },
        memoryUid: memory.uid,
        shareIn,
        inPause: Effect.map(residents.note(folder.logs), (states) => {
          noted = states
          noting()
          faultPoint("take:paused")
        })
      })))
      yield* residents.finishNote(noted, folder.logs)
      return {
        memory: { spec: vm.spec, identity, pauseMs },
        residents: noted,
        diskMark,
        ...(shared === undefined ? {} : { shared })
      }
    }).pipe(residents.quiesced)
  })

const mib = 1024 * 1024

/** Refuses before the pause: a copy that fills the disk would be useless. */
export const haveRoom = (memoryBytes: number, target: string) =>
  Effect.gen(function*() {
    const folder = target.slice(0, target.lastIndexOf("/"))
    const free = yield* Effect.mapError(attempt("statfs", folder, () => freeBytes(folder)), toHostError)
    const neededMib = Math.ceil(memoryBytes / mib) + 1
    const availableMib = Math.floor(free / mib)
    if (neededMib > availableMib) {
      return yield* new NoSpace({ where: "folder of the copy", path: target, neededMib, availableMib })
    }
  })
