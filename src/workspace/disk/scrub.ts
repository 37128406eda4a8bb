import { Effect, type Scope } from "effect"
import { randomBytes } from "node:crypto"
import * as path from "node:path"
import { DiskDamaged, type PyroError } from "../../contract/errors/errors.ts"
import { makeWorkspaceDisk, type WorkspaceDisk } from "../../disk/workspace-disk.ts"
import { keepReadOnly, openFile } from "../../system/files/descriptor.ts"
import { ensureFolder } from "../../system/files/folders.ts"
import { toHostError } from "../../system/files/host-error.ts"
import { inspectedDisk, lowerDirectory } from "../../vm/guest-steps.ts"
import type { Guest } from "../../vm/guest.ts"
import { type LifecycleServices, removeStaged } from "../entry/context.ts"
import type { Entry } from "../entry/entry.ts"
import { unwritten } from "../entry/record.ts"
import { explainInspector, openInspector } from "../life/inspector.ts"
import { guestFiles, guestLinks } from "../residents/guest-files.ts"
import { withinDeadline } from "./deadline.ts"
import { type FreeSpace, readFreeSpace } from "./free-space.ts"
import type { RestingDisk } from "./map.ts"
import { scrubFiles } from "./scrub-files.ts"

/** A disk at rest whose unused bytes are known. */
export interface ScrubbedDisk extends RestingDisk {
  readonly free: FreeSpace
}

const rootLayers = { changes: `${inspectedDisk}/upper`, environment: lowerDirectory } as const

/** Takes leftovers off the disk, and then asks for its unused bytes. */
const scrub = (guest: Guest, virtualBytes: number) =>
  scrubFiles(guest.channel, rootLayers, { files: guestFiles, links: guestLinks }).pipe(
    Effect.andThen(guest.channel.chain(guest.vm.steps.scrubInspected)),
    Effect.andThen(readFreeSpace(guest.channel, inspectedDisk, virtualBytes)),
    Effect.catchTag(
      "AgentCallFailed",
      ({ message }) =>
        new DiskDamaged({ detail: `its temporary files and unused blocks cannot be left out: ${message}` })
    ),
    withinDeadline,
    explainInspector(guest)
  )

/**
 * The disk of a workspace at rest without leftovers of a run: an inspector replays the journal and removes temporary files, settings of the
 * package cache and pyro's own files, all in a further layer. The layer goes with the Scope; a sweep removes the layer after a crash. The caller holds the workspace
 * alone.
 */
export const scrubbedDisk = (
  entry: Entry,
  { layers, seed, top }: WorkspaceDisk
): Effect.Effect<ScrubbedDisk, PyroError, Scope.Scope | LifecycleServices> =>
  Effect.gen(function*() {
    const { folder } = entry
    const directory = path.join(folder.compared, randomBytes(8).toString("hex"))
    yield* Effect.addFinalizer(() => removeStaged(folder.compared, directory))
    yield* Effect.mapError(ensureFolder(directory), unwritten(folder))
    const overlay = yield* makeWorkspaceDisk(directory, seed.virtualBytes)
    const written = [...layers, top]
    // The VM ends before any process reads its layer.
    const free = yield* Effect.scoped(
      Effect.flatMap(
        openInspector(entry, { seed, layers: written, top: overlay }),
        (guest) => scrub(guest, seed.virtualBytes)
      )
    )
    yield* Effect.scoped(Effect.flatMap(openFile(overlay, "r"), (fd) => keepReadOnly(fd, overlay))).pipe(
      Effect.mapError(toHostError)
    )
    return { seed, layers: [...written, overlay], free }
  })
