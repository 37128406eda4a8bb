import { Effect } from "effect"
import { InvalidRequest } from "../../contract/errors/errors.ts"
import type { SyncPushPayload } from "../../contract/rows/workspace-sync.ts"
import { realDirectory } from "../../system/files/host-path.ts"
import { isBeneath } from "../git/locate.ts"
import { withinGit } from "../pushed.ts"
import type { HostTree } from "./host-tree.ts"
import type { Look } from "./look.ts"

const refused = (detail: string) => new InvalidRequest({ field: "source_path", detail })

/** Refuses a part of the workspace's source, or a directory that contains the source: paths would differ. */
export const demandSamePlace = ({ root }: HostTree, seedPath: string | undefined) =>
  Effect.suspend(() => {
    // An archive is in no place.
    const seed = seedPath === undefined ? undefined : realDirectory(seedPath)
    if (seed === undefined || seed === root) return Effect.void
    return isBeneath(root, seed) || isBeneath(seed, root)
      ? Effect.fail(
        refused(
          `${root} is not what the workspace was seeded from, and its files would go to other places; push ${seed}`
        )
      )
      : Effect.void
  })

const isWithin = (dest: string, name: string) => !withinGit(name) && (dest === "" || name.startsWith(`${dest}/`))

/** Refuses to remove the whole beginning of a workspace: the caller means another directory. */
export const demandSomethingSame = (
  host: HostTree,
  look: Look,
  { delete: deletes, force }: Pick<SyncPushPayload, "delete" | "force">
) =>
  Effect.suspend(() => {
    // No push touches a repository's own files.
    const began = deletes && !force ? [...look.started.keys()].filter((name) => isWithin(host.dest, name)) : []
    return began.length > 0 && !began.some((name) => host.files.has(name))
      ? Effect.fail(
        refused(
          `${host.root} has none of the files that the workspace began with, and all of those would be removed; push the ` +
            "directory that they are from, or do it with force"
        )
      )
      : Effect.void
  })
