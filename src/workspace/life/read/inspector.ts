import { Effect, Stream } from "effect"
import { type ChannelFailed, DiskDamaged, VmFailed } from "../../../contract/errors/errors.ts"
import { SeedImages } from "../../../lib/disk/SeedImages.ts"
import type { DiskSource } from "../../../lib/disk/workspace-disk.ts"
import { inspectedDisk } from "../../../lib/vm/model/guest-steps.ts"
import type { Guest, GuestImages } from "../../../lib/vm/model/guest.ts"
import type { Entry } from "../../entry/entry.ts"
import type { WorkspaceRecord } from "../../entry/record.ts"
import { explainChannelFailure } from "../engine/ended.ts"
import { workspaceTrees } from "../guest/baseline.ts"
import { acquireWorkspace } from "../guest/boot.ts"
import { imagesOf } from "../guest/generation.ts"

/**
 * Maximum memory of an inspector, in MiB: it runs no program of the workspace. The pool has VMs with the default memory of a
 * workspace.
 */
const mostMib = 1024

/** Sizes of an inspector: the workspace's own, for which there is a template, unless they are large. */
export const inspectorSize = ({ memoryMib, vcpuCount }: WorkspaceRecord) =>
  memoryMib <= mostMib ? { memoryMib, vcpuCount } : { memoryMib: mostMib, vcpuCount: 1 }

/** Mounts the disk's folder at /workspace, unless the guest put a link, or something else, in its place. */
const openWorkspaceFolder = ({ channel, vm }: Guest) =>
  channel.walk({ root: inspectedDisk, path: "workspace", maxDepth: 1 }).pipe(
    Stream.take(1),
    Stream.runDrain,
    Effect.andThen(channel.chain(vm.steps.inspectedWorkspace)),
    Effect.mapError((failure) =>
      failure._tag === "ChannelFailed"
        ? failure
        : new DiskDamaged({ detail: `its folder for /workspace cannot be read: ${failure.message}` })
    )
  )

/**
 * Error of an interrupted read of a disk. The workspace is unchanged and not at fault, so the error names no remedy for a
 * workspace.
 */
export const explainInspector = (guest: Guest) => <A, E, R>(look: Effect.Effect<A, E | ChannelFailed, R>) =>
  Effect.catchIf(
    explainChannelFailure(guest)(look),
    (failure): failure is ChannelFailed => (failure as { readonly _tag?: unknown })._tag === "ChannelFailed",
    ({ detail }) =>
      new VmFailed({
        step: "inspect",
        detail: `the microVM that read the disk was lost: ${detail}; the workspace is unchanged`,
        consoleTail: ""
      })
  )

/**
 * A temporary VM that reads a workspace's disk under its own overlay, with the disk's folder at /workspace. The overlay takes journal
 * replays and the repair of half-done patches or pushes, so no disk changes. The VM runs no program of the disk. No process may write the
 * disk's layers at the same time. `images` are those of the VM. Default: the workspace's.
 */
export const openInspector = (
  entry: Entry,
  disk: DiskSource,
  images?: GuestImages
) =>
  Effect.gen(function*() {
    const record = yield* entry.record.now
    const { guest, inspect } = yield* acquireWorkspace({
      ...disk,
      purpose: "inspector",
      driver: record.driver,
      images: images ?? (yield* imagesOf(entry, record)),
      ...inspectorSize(record),
      placeholder: yield* Effect.flatMap(SeedImages, (seeds) => seeds.empty(record.diskMib)),
      hostname: "inspector",
      dieWithParent: true,
      leastConfinement: record.requireConfinement
    })
    yield* inspect
    yield* explainInspector(guest)(openWorkspaceFolder(guest))
    yield* guest.channel.changeFiles(workspaceTrees.live.root, []).pipe(explainInspector(guest), Effect.ignoreCause)
    return guest
  })
