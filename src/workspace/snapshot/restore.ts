import { Effect, Exit, Scope } from "effect"
import { type PyroError, SnapshotMismatch } from "../../contract/errors.ts"
import { makeWorkspaceDisk, readWorkspaceDisk, type Seed, shareLayers } from "../../disk/workspace-disk.ts"
import { hostBootId } from "../../system/identity.ts"
import type { GuestImages } from "../../vm/guest.ts"
import { differencesOf, type MachineIdentity } from "../../vm/machine-identity.ts"
import type { MachineSpec } from "../../vm/machine-spec.ts"
import { Pool } from "../../vm/pool/Pool.ts"
import { Vmm } from "../../vm/Vmm.ts"
import type { ReservedVm } from "../../vm/VmmService.ts"
import type { Lifecycle } from "../lifecycle/context.ts"
import { type Generation, hostnameOf, inOwnScope } from "../lifecycle/generation.ts"
import type { WorkspaceRecord } from "../lifecycle/record.ts"
import { virtualBytesOf } from "../lifecycle/steps.ts"
import type { CaptureFolder, Snapshot, Taken } from "./record.ts"
import { renew } from "./renew.ts"

export type TakenMemory = NonNullable<Taken["memory"]>

/** Fails when memory of `captured` cannot go on here. */
export const demandSame = (
  what: string,
  captured: MachineIdentity,
  here: MachineIdentity,
  others: ReadonlyArray<string> = []
) => {
  const differences = [...others, ...differencesOf(captured, here)]
  return differences.length === 0 ? Effect.void : new SnapshotMismatch({ what, differences })
}

/** Fails when a snapshot's memory cannot go on here; nothing to say of one without. */
export const demandLoadable = ({ record }: Snapshot, images: GuestImages, seed: Seed) =>
  Effect.gen(function*() {
    const { durable, hostBoot, name, taken: { memory } } = record
    if (memory === undefined) return
    const here = yield* Effect.flatMap(Vmm, (vmm) => vmm.identity(memory.spec, images, seed))
    const lost = durable || hostBoot === hostBootId()
      ? []
      : ["the host was started anew before the snapshot was on its disk for good"]
    yield* demandSame(`snapshot "${name}"`, memory.identity, here, lost)
  })

/** A VM to be, with the scope that is to be its generation's. */
export interface Reserved {
  readonly scope: Scope.CloseableScope
  readonly vm: ReservedVm
}

export const release = (reserved: ReadonlyArray<Reserved>) =>
  Effect.forEach(reserved, ({ scope }) => Scope.close(scope, Exit.void), { discard: true, concurrency: 4 })

/** Announces VMs that go on from one memory, and lets them in: all of them, or none. */
export const reserve = (
  lifecycle: Lifecycle,
  spec: MachineSpec,
  wanted: ReadonlyArray<{ readonly record: WorkspaceRecord; readonly images: GuestImages; readonly seed: Seed }>
): Effect.Effect<ReadonlyArray<Reserved>, PyroError, Pool | Vmm> =>
  Effect.gen(function*() {
    const vmm = yield* Vmm
    const pool = yield* Pool
    const reserved: Array<Reserved> = []
    yield* Effect.gen(function*() {
      for (const { images, record, seed } of wanted) {
        const { scope, value: vm } = yield* inOwnScope(
          lifecycle.scope,
          vmm.reserve({
            purpose: "workspace",
            spec,
            images,
            seed,
            dieWithParent: false,
            leastConfinement: record.requireConfinement
          })
        )
        reserved.push({ scope, vm })
      }
      yield* pool.withRoom(vmm.admit(reserved.map(({ vm }) => vm)))
    }).pipe(Effect.onError(() => release(reserved)))
    return reserved
  }).pipe(Effect.uninterruptible)

/** Copies a memory into a reserved VM's own. */
export const fill = ({ vm }: Reserved, memoryPath: string) => vm.fill(memoryPath)

/** A new disk on what was taken: its layers, and an empty one of its own on top. */
export const makeDisk = (folder: CaptureFolder, { layers }: Taken, disk: string, record: WorkspaceRecord) =>
  Effect.gen(function*() {
    yield* shareLayers(folder.disk, disk, layers)
    yield* makeWorkspaceDisk(disk, virtualBytesOf(record))
    return yield* readWorkspaceDisk(disk, virtualBytesOf(record))
  })

/** Lets a reserved VM, whose memory is there, go on as the workspace of `record`. */
export const goOn = (
  { scope, vm }: Reserved,
  statePath: string,
  record: WorkspaceRecord,
  disk: string
): Effect.Effect<Generation, PyroError> =>
  Effect.gen(function*() {
    const source = yield* readWorkspaceDisk(disk, virtualBytesOf(record))
    const guest = yield* Scope.extend(vm.restore({ statePath, disk: source }), scope)
    yield* renew(guest, hostnameOf(record))
    return { guest, channel: guest.channel, scope }
  })
