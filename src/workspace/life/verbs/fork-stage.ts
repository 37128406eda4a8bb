import { Effect, Option, type Scope } from "effect"
import type { ForkPayload } from "../../../contract/rows/workspace-fork.ts"
import type { ReservedVm } from "../../../lib/vm/model/guest.ts"
import type { MachineSpec } from "../../../lib/vm/model/machine.ts"
import { dropWhole } from "../../../lib/vm/model/memory-image.ts"
import type { SharedMemory } from "../../../lib/vm/model/Vm.ts"
import { Vmm } from "../../../lib/vm/Vmm.ts"
import { makeFolder } from "../../../system/files/entries.ts"
import { attempt, toHostError } from "../../../system/files/failure.ts"
import { linkTree } from "../../../system/files/link-tree.ts"
import { bytesOnDisk } from "../../../system/files/usage.ts"
import { asStep } from "../../../system/telemetry/spans.ts"
import { alone, aloneFor, type Lifecycle, type Notify } from "../../entry/context.ts"
import { displayName, type Entry } from "../../entry/entry.ts"
import type { WorkspaceRecord } from "../../entry/record.ts"
import type { Registry } from "../../entry/registry.ts"
import { noStates } from "../../entry/resident.ts"
import { presentHeaderSecrets } from "../../residents/header-secret/header-secrets.ts"
import { copyHeaderSecrets } from "../../residents/secret/header-secret-file.ts"
import { copySecrets, presentSecrets } from "../../residents/secret/secret-file.ts"
import { linkedBase } from "../guest/base.ts"
import { choosePoint } from "../points/choose.ts"
import { loadable } from "../points/return.ts"
import { type Captured, type CaptureFolder, captureFolder, findSnapshot } from "../records/snapshot.ts"
import { canShare, capture, identityOf, seedOf } from "../snapshot/capture.ts"
import { demandLoadable, demandSame, reserve } from "../snapshot/restore.ts"

/** Longest name of a workspace. */
const mostCharacters = 63

const numbered = (name: string, number: number) => {
  const suffix = `-${number}`
  return `${name.slice(0, mostCharacters - suffix.length)}${suffix}`
}

/**
 * A name for each fork: the requested one, with -1 to -N for several forks. Without a requested name, the workspace's name with the
 * first free numbers. Forks of a workspace without a name have none.
 */
export const forkNames = (
  { entries }: Registry,
  source: WorkspaceRecord,
  { count, name }: Pick<ForkPayload, "count" | "name">
): Effect.Effect<ReadonlyArray<string | undefined>> =>
  Effect.gen(function*() {
    const places = Array.from({ length: count }, (_, index) => index + 1)
    if (name !== undefined) return count === 1 ? [name] : places.map((number) => numbered(name, number))
    const { name: own } = source
    if (own === undefined) return places.map(() => undefined)
    const used = new Set<string | undefined>()
    for (const entry of entries.values()) {
      const record = yield* entry.record.now
      if (record.tenant === source.tenant) used.add(record.name)
    }
    const free: Array<string> = []
    for (let number = 1; free.length < count; number++) {
      if (!used.has(numbered(own, number))) free.push(numbered(own, number))
    }
    return free
  })

/** A fork before its start. */
export interface Child {
  readonly entry: Entry
  /** Of its first generation. */
  readonly scope: Scope.Closeable
}

/** Source of forks: a folder of the first of them, and a VM for each with the memory. */
export interface Staged {
  readonly folder: CaptureFolder
  readonly captured: Captured
  /** None if only files are copied. */
  readonly vms: ReadonlyArray<ReservedVm>
}

const stagedIn = ([first]: ReadonlyArray<Child>) => captureFolder(first!.entry.folder.staged)

/** Further names of a snapshot's files, so that the snapshot can be deleted during the fork. */
const stageSnapshot = (
  lifecycle: Lifecycle,
  source: Entry,
  name: string,
  diskOnly: boolean,
  children: ReadonlyArray<Child>
) =>
  Effect.gen(function*() {
    const snapshot = yield* findSnapshot(source, name)
    const { folder, record: { captured } } = snapshot
    const record = yield* source.record.now
    const memory = diskOnly ? undefined : captured.memory
    const images = yield* linkedBase(source.folder.base)
    if (memory !== undefined) {
      yield* demandLoadable(snapshot, images, seedOf(source, record))
      // In the snapshot's own folder, so that later forks have the same file.
      yield* Effect.flatMap(Vmm, (vmm) => vmm.on(memory.spec.driver).prepareMemory(folder.frozen.memoryPath))
    }
    const staged = stagedIn(children)
    yield* linkTree(folder.directory, staged.directory)
    yield* presentSecrets(source.folder.directory, staged.directory)
    yield* presentHeaderSecrets(source.folder.directory, staged.directory)
    return { staged, captured, memory }
  }).pipe(alone(lifecycle, source))

/** Further names of the files of a point, and the present secrets: a point has none. */
const stagePoint = (
  lifecycle: Lifecycle,
  source: Entry,
  { at, diskOnly }: { readonly at: string; readonly diskOnly: boolean },
  children: ReadonlyArray<Child>,
  notify: Notify
) =>
  Effect.gen(function*() {
    const chosen = yield* choosePoint(source, at)
    const { folder, record: { captured } } = diskOnly ? chosen : yield* loadable(source, chosen, notify)
    const memory = diskOnly ? undefined : captured.memory
    const staged = stagedIn(children)
    const { memoryPath } = folder.frozen
    if (memory !== undefined) {
      yield* Effect.flatMap(Vmm, (vmm) => vmm.on(memory.spec.driver).prepareMemory(memoryPath))
    }
    yield* linkTree(folder.directory, staged.directory)
    // The room of points is for points.
    if (memory !== undefined) {
      yield* Effect.mapError(attempt("rm", memoryPath, () => dropWhole(memoryPath)), toHostError)
    }
    yield* copySecrets(source.folder.directory, staged.directory)
    yield* copyHeaderSecrets(source.folder.directory, staged.directory)
    return { staged, captured: memory === undefined ? { ...captured, residents: noStates } : captured, memory }
  }).pipe(alone(lifecycle, source))

/** Reserves a VM for each fork, in the scope of the fork's first generation. */
const reserveFor = (
  source: Entry,
  spec: MachineSpec,
  children: ReadonlyArray<Child>,
  sharedBytes: number | undefined
) =>
  Effect.gen(function*() {
    const seed = seedOf(source, yield* source.record.now)
    const wanted = yield* Effect.forEach(children, ({ entry, scope }) =>
      Effect.gen(function*() {
        const images = yield* linkedBase(entry.folder.base)
        return { record: yield* entry.record.now, images, seed, scope }
      }))
    return yield* reserve(spec, wanted, sharedBytes)
  })

/** Copies a memory into VMs that are reserved. */
const fillAll = (vms: ReadonlyArray<ReservedVm>, memoryPath: string) =>
  Effect.forEach(vms, (vm) => vm.fill(memoryPath), { discard: true })

/** The same from the first of them, which has not run yet. */
const fillOthers = ([first, ...others]: ReadonlyArray<ReservedVm>) => fillAll(others, first!.memory.path)

const shareAmong = (vms: ReadonlyArray<ReservedVm>, shared: SharedMemory) =>
  Effect.sync(() => {
    for (const vm of vms) vm.share(shared)
  })

/** The memory of a snapshot for several VMs that share it. Undefined if each gets a copy. */
const sharedOf = ({ spec }: NonNullable<Captured["memory"]>, memoryPath: string, children: ReadonlyArray<Child>) =>
  Effect.gen(function*() {
    const driver = (yield* Vmm).on(spec.driver)
    // Without a byte, it is in the state, and belongs into a memory of the VM's own.
    if (children.length === 1 || bytesOnDisk(memoryPath) === 0) return undefined
    if (!(yield* driver.canShare(spec, children.length))) return undefined
    return yield* driver.shareMemory(memoryPath)
  })

/**
 * Stages the present state of the workspace, with its memory copied directly into the first fork's VM, or into one that all share. The source is
 * locked only for this step: it continues while the forks start.
 */
const stageNow = (lifecycle: Lifecycle, source: Entry, diskOnly: boolean, children: ReadonlyArray<Child>) =>
  Effect.gen(function*() {
    const folder = stagedIn(children)
    yield* Effect.mapError(makeFolder(folder.directory), toHostError)
    const generation = Option.getOrUndefined(yield* source.generation.now)
    if (generation === undefined || diskOnly) {
      const staged: Staged = { folder, captured: yield* capture(source, folder, undefined), vms: [] }
      return staged
    }
    const identity = yield* identityOf(source, generation)
    yield* demandSame(`workspace ${yield* displayName(source)}`, identity.captured, identity.here)
    const { vm } = generation.guest
    const shares = children.length > 1 && (yield* canShare(vm, children.length))
    const vms = yield* reserveFor(source, vm.spec, children, shares ? yield* vm.memoryBytes : undefined)
    const { shared, ...captured } = yield* capture(
      source,
      folder,
      vms[0]!.memory,
      shares ? yield* Effect.scope : undefined
    )
    const staged: Staged = { folder, captured, vms }
    yield* shared === undefined ? fillOthers(vms) : shareAmong(vms, shared)
    return staged
  }).pipe(aloneFor(lifecycle, source, "workspace.fork"))

/**
 * Stages the source of `children`. The caller removes the folder. A memory that they share stays until the Scope closes. `given` is that of the
 * snapshot, if it is shared already.
 */
export const stage = (
  lifecycle: Lifecycle,
  source: Entry,
  payload: ForkPayload,
  children: ReadonlyArray<Child>,
  notify: Notify,
  given?: SharedMemory
) =>
  Effect.gen(function*() {
    const diskOnly = payload.diskOnly === true
    const { at, snapshot } = payload
    if (at === undefined && snapshot === undefined) return yield* stageNow(lifecycle, source, diskOnly, children)
    const { memory, staged: folder, captured } = at === undefined
      ? yield* stageSnapshot(lifecycle, source, snapshot!, diskOnly, children)
      : yield* stagePoint(lifecycle, source, { at, diskOnly }, children, notify)
    if (memory === undefined) {
      return {
        folder,
        captured: { takenAtMs: captured.takenAtMs, layers: captured.layers, residents: noStates },
        vms: []
      }
    }
    const { memoryPath } = folder.frozen
    const shared = given ?? (yield* sharedOf(memory, memoryPath, children))
    const vms = yield* reserveFor(source, memory.spec, children, shared?.bytes)
    yield* shared === undefined ? fillAll(vms, memoryPath) : shareAmong(vms, shared)
    return { folder, captured, vms }
  }).pipe(asStep("stage"))
