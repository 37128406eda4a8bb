import { Effect, Option } from "effect"
import * as path from "node:path"
import { SeedImages } from "../../disk/SeedImages.ts"
import { readWorkspaceDisk } from "../../disk/workspace-disk.ts"
import { Environments } from "../../environment/Environments.ts"
import { Kernel } from "../../environment/Kernel.ts"
import { exists } from "../../system/files/entries.ts"
import { Paths } from "../../system/files/Paths.ts"
import type { OnSlowStep } from "../../vm/guest.ts"
import { type Notify, progress } from "../entry/context.ts"
import type { Entry } from "../entry/entry.ts"
import { virtualBytesOf, type WorkspaceRecord } from "../entry/record.ts"
import { heldBase } from "./base.ts"
import { acquireGuest } from "./generation.ts"

/**
 * The images of a workspace's root: the cache's, which the pool knows, while the cache still has the same ones, else the
 * workspace's own.
 */
export const imagesOf = (entry: Entry, record: WorkspaceRecord) =>
  Effect.gen(function*() {
    const held = yield* heldBase(entry.folder.base)
    const environments = yield* Environments
    const cached = yield* Effect.orElseSucceed(environments.resolve(record.environment.name), () => Option.none())
    if (Option.isNone(cached) || cached.value.digest !== held.environment.digest) return held
    // Nothing is built for a workspace that has its own.
    if (!exists(path.join((yield* Paths).cacheDir, "kernels", "current.json"))) return held
    const kernel = yield* Effect.option(Effect.flatMap(Kernel, ({ ensure }) => ensure))
    return Option.isSome(kernel) && kernel.value.digest === held.kernel.digest
      ? { environment: cached.value, kernel: kernel.value }
      : held
  })

/** Tells the caller of a long part of a start, such as the making of a template. */
export const tellSlowStep = (notify: Notify): OnSlowStep => (message) => progress(notify, message, 0.5)

/** Makes a VM on the disk that `record` names; the VM belongs to the Scope. */
export const guestOn = (entry: Entry, record: WorkspaceRecord, notify: Notify) =>
  Effect.gen(function*() {
    const from = yield* Effect.all({
      images: imagesOf(entry, record),
      placeholder: Effect.flatMap(SeedImages, (seeds) => seeds.empty(record.diskMib)),
      disk: readWorkspaceDisk(entry.folder.disk(record.disk), virtualBytesOf(record))
    })
    return yield* acquireGuest({ record, ...from, onSlowStep: tellSlowStep(notify) })
  })
