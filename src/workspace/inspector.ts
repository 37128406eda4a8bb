import { Effect, Ref, type Scope } from "effect"
import type { PyroError } from "../contract/errors.ts"
import { SeedImages } from "../disk/SeedImages.ts"
import type { DiskSource } from "../disk/workspace-disk.ts"
import { inspectedDisk } from "../vm/claim.ts"
import type { Guest } from "../vm/guest.ts"
import { acquireWorkspace, explainChannelFailure } from "./boot.ts"
import { type Trees, workspaceTrees } from "./diff/baseline.ts"
import type { LifecycleServices } from "./lifecycle/context.ts"
import type { Entry } from "./lifecycle/registry.ts"
import { imagesOf } from "./lifecycle/steps.ts"

/** Most memory of an inspector, in MiB: it runs nothing of the workspace. The pool has that of a workspace made without a word on it. */
const mostMib = 1024

/** The two trees of a diff as an inspector has them; what a guest put in the place of its folder is not followed. */
export const inspectedTrees: Trees = { ...workspaceTrees, live: { root: inspectedDisk, path: "workspace" } }

/**
 * A throw-away VM that reads a disk of a workspace: on an overlay of its own, so that journals are replayed and what a patch or a push left
 * half done is put right, and nobody's disk changes. Nothing of what is on the disk runs. Nobody may write the disk's layers meanwhile.
 */
export const openInspector = (
  entry: Entry,
  disk: DiskSource
): Effect.Effect<Guest, PyroError, Scope.Scope | LifecycleServices> =>
  Effect.gen(function*() {
    const record = yield* Ref.get(entry.record)
    const { memoryMib, vcpuCount } = record.memoryMib <= mostMib ? record : { memoryMib: mostMib, vcpuCount: 1 }
    const { guest, inspect } = yield* acquireWorkspace({
      ...disk,
      purpose: "inspector",
      images: yield* imagesOf(entry, record),
      vcpuCount,
      memoryMib,
      placeholder: yield* Effect.flatMap(SeedImages, (seeds) => seeds.empty(record.diskMib)),
      hostname: "inspector",
      dieWithParent: true,
      leastConfinement: record.requireConfinement
    })
    yield* inspect
    yield* guest.channel.changeFiles(`${inspectedDisk}/workspace`, []).pipe(
      explainChannelFailure(guest),
      Effect.ignoreLogged
    )
    return guest
  })
