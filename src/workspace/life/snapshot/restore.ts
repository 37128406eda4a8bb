import { Effect, Scope } from "effect"
import { type ChannelFailed, type GuestPanicked, SnapshotMismatch, VmFailed } from "../../../contract/errors/errors.ts"
import {
  makeDiskOfCopy,
  makeWorkspaceDisk,
  readWorkspaceDisk,
  type Seed,
  shareLayers
} from "../../../lib/disk/workspace-disk.ts"
import type { AgentCallFailed } from "../../../lib/guest-channel/model/errors.ts"
import { keepClock } from "../../../lib/vm/model/clock.ts"
import { newGuestIdentity } from "../../../lib/vm/model/guest-steps.ts"
import type { Guest, GuestImages, ReservedVm } from "../../../lib/vm/model/guest.ts"
import { differencesOf, type MachineIdentity, type MachineSpec } from "../../../lib/vm/model/machine.ts"
import { Pool } from "../../../lib/vm/Pool.ts"
import { Vmm } from "../../../lib/vm/Vmm.ts"
import { hostBootId } from "../../../system/processes/identity.ts"
import { deadlineScale } from "../../../system/settings/deadline-scale.ts"
import { asStep } from "../../../system/telemetry/spans.ts"
import { discardFolder, type Notify, removeFolder } from "../../entry/context.ts"
import type { Entry } from "../../entry/entry.ts"
import { virtualBytesOf, type WorkspaceRecord } from "../../entry/record.ts"
import type { OnUndo } from "../engine/description.ts"
import { explainChannelFailure } from "../engine/ended.ts"
import { linkedBase } from "../guest/base.ts"
import { guestOn, hostnameOf, readHosts } from "../guest/generation.ts"
import type { Captured, CaptureFolder, Snapshot } from "../records/snapshot.ts"

const renewTimeoutMs = 30_000 * deadlineScale

/**
 * Makes a guest from captured memory unique before its programs run: fresh randomness, time, name, ids. After a failure no program
 * has run in it, and it must not be used.
 */
export const renew = (guest: Guest, hostname: string) =>
  beforePrograms(
    guest,
    Effect.flatMap(
      readHosts(guest.channel),
      (hosts) => guest.channel.chain(guest.vm.steps.renewal(newGuestIdentity(hostname), hosts))
    )
  )

/** Prepares a guest from captured memory, and lets its programs run. */
const beforePrograms = (
  guest: Guest,
  prepare: Effect.Effect<unknown, AgentCallFailed | ChannelFailed>
): Effect.Effect<void, VmFailed | GuestPanicked | ChannelFailed> =>
  Effect.gen(function*() {
    const { channel, vm } = guest
    yield* prepare
    yield* keepClock(channel)
    yield* channel.chain(vm.steps.startPrograms)
  }).pipe(
    Effect.timeoutOrElse({
      duration: renewTimeoutMs,
      orElse: () => Effect.fail(failed(`its agent did not do it within ${renewTimeoutMs} ms`))
    }),
    Effect.catchTag("AgentCallFailed", ({ message }) => failed(message)),
    Effect.raceFirst(guest.vm.health.failure),
    explainChannelFailure(guest),
    asStep("renew")
  )

const failed = (detail: string) =>
  new VmFailed({
    step: "renew",
    detail: `${detail}; the VM was thrown away before anything ran in it`,
    consoleTail: ""
  })

/** Fails if there are differences to the host of the capture. */
const demandNone = (what: string, differences: ReadonlyArray<string>, paused?: string) =>
  differences.length === 0
    ? Effect.void
    : new SnapshotMismatch({ what, differences, ...(paused === undefined ? {} : { paused }) })

/** Fails if memory of `captured` cannot continue here. */
export const demandSame = (
  what: string,
  captured: MachineIdentity,
  here: MachineIdentity,
  { paused }: { readonly paused?: string } = {}
) => demandNone(what, differencesOf(captured, here), paused)

/** Facts that decide whether a snapshot's memory can run here, for a workspace's snapshot or a saved one. */
interface Loadable {
  readonly record: Pick<Snapshot["record"], "captured" | "durable" | "hostBoot" | "name">
}

/** Why a snapshot's memory cannot run here. None if it can, and without a memory. */
export const obstaclesOf = (
  { record: { captured: { memory }, durable, hostBoot } }: Loadable,
  images: GuestImages,
  seed: Seed
) =>
  Effect.gen(function*() {
    if (memory === undefined) return []
    const here = yield* Effect.flatMap(Vmm, (vmm) => vmm.identity(memory.spec, images, seed))
    const lost = durable || hostBoot === hostBootId()
      ? []
      : ["the host was started anew before the snapshot was on its disk for good"]
    return [...lost, ...differencesOf(memory.identity, here)]
  })

/** Fails if a snapshot's memory cannot run here. Succeeds without a memory. */
export const demandLoadable = (snapshot: Loadable, images: GuestImages, seed: Seed) =>
  Effect.flatMap(
    obstaclesOf(snapshot, images, seed),
    (differences) => demandNone(`snapshot "${snapshot.record.name}"`, differences)
  )

/** A VM that will continue from a memory, and the scope of its future generation. */
interface Wanted {
  readonly record: WorkspaceRecord
  readonly images: GuestImages
  readonly seed: Seed
  readonly scope: Scope.Scope
}

/** Services that make VMs which continue from a memory. */
export type MemoryServices = Pool | Vmm

/**
 * Announces VMs that continue from one memory, which they may share, and admits all or none. Each belongs to its own scope from the start.
 */
export const reserve = (
  spec: MachineSpec,
  wanted: ReadonlyArray<Wanted>,
  sharedBytes?: number
) =>
  Effect.gen(function*() {
    const vmm = yield* Vmm
    const pool = yield* Pool
    const reserved = yield* Effect.forEach(wanted, ({ images, record, scope, seed }) =>
      Scope.provide(
        vmm.reserve({
          purpose: "workspace",
          spec,
          images,
          seed,
          dieWithParent: false,
          leastConfinement: record.requireConfinement,
          sharedBytes
        }),
        scope
      ))
    yield* pool.withRoom(vmm.admit(reserved))
    return reserved
  })

/** A new disk on the captured layers, with its own empty layer on top; or of a point's copy with changes, which becomes its own layer. */
export const makeDisk = (folder: CaptureFolder, { layers }: Captured, disk: string, record: WorkspaceRecord) =>
  Effect.gen(function*() {
    if (!(yield* makeDiskOfCopy(folder.disk, disk))) {
      yield* shareLayers(folder.disk, disk, layers)
      yield* makeWorkspaceDisk(disk, virtualBytesOf(record))
    }
    return yield* readWorkspaceDisk(disk, virtualBytesOf(record))
  }).pipe(asStep("disk"))

/** Restores a reserved VM, whose memory is filled, on a disk of the workspace. No program runs in it yet. */
const restoreOn = (vm: ReservedVm, statePath: string, record: WorkspaceRecord, disk: string) =>
  Effect.flatMap(readWorkspaceDisk(disk, virtualBytesOf(record)), (source) => vm.restore({ statePath, disk: source }))

/** Restores a reserved VM, whose memory is filled, as the workspace of `record`. The VM belongs to the Scope. */
export const restoreAs = (
  vm: ReservedVm,
  statePath: string,
  record: WorkspaceRecord,
  disk: string
) =>
  Effect.gen(function*() {
    const guest = yield* restoreOn(vm, statePath, record, disk)
    yield* renew(guest, hostnameOf(record))
    return guest
  })

/**
 * Restores a reserved VM, whose memory is filled, as the one that was paused: no other VM continues from this memory, so the guest keeps
 * its identity. `hostname` is its name at the pause.
 */
export const continueAs = (
  vm: ReservedVm,
  statePath: string,
  hostname: string,
  record: WorkspaceRecord,
  disk: string
) =>
  Effect.gen(function*() {
    const guest = yield* restoreOn(vm, statePath, record, disk)
    const { channel } = guest
    const { steps } = guest.vm
    const now = hostnameOf(record)
    const rename = hostname === now
      ? Effect.void
      : Effect.flatMap(readHosts(channel), (hosts) => channel.chain(steps.rename(now, hosts)))
    yield* beforePrograms(guest, Effect.andThen(Effect.suspend(() => channel.chain(steps.continuation())), rename))
    return guest
  })

/** The record with the next disk and the next VM. */
export const onNextDisk = (record: WorkspaceRecord): WorkspaceRecord => ({
  ...record,
  disk: record.disk + 1,
  generation: record.generation + 1
})

/** State that a VM begins with: of a snapshot, or of a point. */
interface Source {
  readonly folder: CaptureFolder
  readonly captured: Captured
  readonly diskOnly: boolean
  /** Runs when the disk is made. */
  readonly onDisk: () => void
}

/** A VM on the disk of a captured state: with its memory, or without. */
export const buildFrom = (
  entry: Entry,
  next: WorkspaceRecord,
  { captured, diskOnly, folder, onDisk }: Source,
  notify: Notify,
  onUndo: OnUndo
) =>
  Effect.gen(function*() {
    const newDisk = entry.folder.disk(next.disk)
    yield* onUndo(discardFolder(newDisk))
    yield* removeFolder(newDisk)
    const { seed } = yield* Effect.uninterruptible(makeDisk(folder, captured, newDisk, next))
    onDisk()
    if (diskOnly || captured.memory === undefined) return yield* guestOn(entry, next, notify)
    const images = yield* linkedBase(entry.folder.base)
    const scope = yield* Effect.scope
    const [vm] = yield* reserve(captured.memory.spec, [{ record: next, images, seed, scope }])
    yield* vm!.fill(folder.frozen.memoryPath)
    return yield* restoreAs(vm!, folder.frozen.statePath, next, newDisk)
  })
