import { Effect } from "effect"
import { payloadOf } from "../contract/rows/payload-of.ts"
import type { PyroService } from "../contract/rows/Pyro.ts"
import { resultsFolder } from "../lib/disk/result-disk.ts"
import { Paths } from "../system/files/Paths.ts"
import { sweepTemporaries } from "../system/files/temporary.ts"
import type { Workspaces } from "../workspace/operations/Workspaces.ts"

/**
 * Deletes builders of dead processes and the files of their disks, in the background. A builder belongs to a call of the process that has the
 * workspaces, so builders that exist when a process takes the workspaces have no owner.
 */
export const deleteLeftBuilders = (workspaces: Workspaces["Service"], pyro: () => PyroService) =>
  Effect.gen(function*() {
    const left: Array<string> = []
    for (const entry of workspaces.house.lifecycle.registry.entries.values()) {
      if ((yield* entry.record.now).builder !== undefined) left.push(entry.id)
    }
    const { stateDir } = yield* Paths
    yield* Effect.forEach(
      left,
      (id) => Effect.ignore(pyro().workspace.delete(payloadOf("workspace.delete", { workspaces: [id] }))),
      {
        discard: true
      }
    ).pipe(Effect.andThen(Effect.ignore(sweepTemporaries(resultsFolder(stateDir)))), Effect.forkScoped)
  })
