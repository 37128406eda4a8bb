import { Effect, type Scope } from "effect"
import { randomBytes } from "node:crypto"
import * as path from "node:path"
import { DiskDamaged, type PyroError } from "../../contract/errors.ts"
import { finestClusters } from "../../disk/qcow2.ts"
import { makeWorkspaceDisk, type WorkspaceDisk } from "../../disk/workspace-disk.ts"
import { keepReadOnly, openFile } from "../../system/files/descriptor.ts"
import { ensureFolder } from "../../system/files/folders.ts"
import { toHostError } from "../../system/files/host-error.ts"
import { explainInspector, openInspector } from "../inspector.ts"
import { type LifecycleServices, removeStaged } from "../lifecycle/context.ts"
import type { Entry } from "../lifecycle/entry.ts"
import { unwritten } from "../lifecycle/record.ts"
import type { RestingDisk } from "./map.ts"

/**
 * The disk of a workspace at rest without leftovers of a run: an inspector replays the journal, removes temporary files and discards
 * unused blocks, all in a further layer. The layer goes with the Scope; a sweep removes the layer after a crash. The caller holds the
 * workspace alone.
 */
export const scrubbedDisk = (
  entry: Entry,
  { layers, seed, top }: WorkspaceDisk
): Effect.Effect<RestingDisk, PyroError, Scope.Scope | LifecycleServices> =>
  Effect.gen(function*() {
    const { folder } = entry
    const directory = path.join(folder.compared, randomBytes(8).toString("hex"))
    yield* Effect.addFinalizer(() => removeStaged(folder.compared, directory))
    yield* Effect.mapError(ensureFolder(directory), unwritten(folder))
    const overlay = yield* makeWorkspaceDisk(directory, seed.virtualBytes, finestClusters(seed.virtualBytes))
    const written = [...layers, top]
    // The VM ends before any process reads its layer.
    yield* Effect.scoped(Effect.gen(function*() {
      const guest = yield* openInspector(entry, { seed, layers: written, top: overlay })
      yield* guest.channel.chain(guest.vm.steps.scrubInspected).pipe(
        Effect.catchTag("AgentCallFailed", ({ message }) =>
          new DiskDamaged({ detail: `its temporary files cannot be removed: ${message}` })),
        explainInspector(guest)
      )
    }))
    yield* Effect.scoped(Effect.flatMap(openFile(overlay, "r"), (fd) =>
      keepReadOnly(fd, overlay))).pipe(
        Effect.mapError(toHostError)
      )
    return { seed, layers: [...written, overlay] }
  })
