import { Effect } from "effect"
import { FileRefused, InvalidRequest } from "../../../contract/errors/errors.ts"
import type { SyncPushPayload } from "../../../contract/rows/workspace-sync.ts"
import { pathBytes } from "../../../contract/text/path-text.ts"
import { hasGitName, isPlainPath } from "../../../system/files/folded-name.ts"
import { realDirectory } from "../../../system/files/host-path.ts"
import { componentsOf, workspaceRoot } from "../../guest-channel/guest-path.ts"
import { isBeneath } from "../git/repository.ts"
import { parentsOf, withinGit } from "../model/pushed.ts"
import type { GuestState } from "./guest-state.ts"
import type { HostTree } from "./host-tree.ts"
import { textOf } from "./plan.ts"

/** Target directory of a push, relative to /workspace and in latin1; "" is /workspace itself. */
export const destination = (dest: string): Effect.Effect<string, InvalidRequest> =>
  Effect.suspend(() => {
    const refused = (detail: string) => new InvalidRequest({ field: "dest", detail })
    const bytes = pathBytes(dest)
    if (bytes === undefined) return refused("begins with a quote, but is no path in git's quoted form")
    const components = componentsOf(bytes)
    const isInside = bytes[0] !== SLASH || `/${components[0] ?? ""}` === workspaceRoot
    if (!isInside || components.includes("..")) return refused("must be a directory beneath /workspace, without ..")
    const name = (bytes[0] === SLASH ? components.slice(1) : components).join("/")
    if (name === "") return Effect.succeed("")
    if (!isPlainPath(name)) {
      return refused("must be a path without a NUL byte and without a name of more than 255 bytes")
    }
    return hasGitName(name) ? refused("nothing is written in a git directory") : Effect.succeed(name)
  })

const SLASH = 0x2f

/** Fails where the workspace has a file or a link in place of the directory: a push replaces neither. */
export const demandDirectory = (dest: string, { live }: GuestState): Effect.Effect<void, FileRefused> => {
  const blocked = parentsOf(`${dest}/`).find((name) => (live.get(name)?.type ?? "directory") !== "directory")
  return blocked === undefined ? Effect.void : new FileRefused({
    path: textOf(blocked),
    reason: "not_a_directory",
    detail: `the workspace has a ${live.get(blocked)!.type} there`
  })
}

const wrongSource = (detail: string) => Effect.fail(new InvalidRequest({ field: "source_path", detail }))

/** Refuses a part of the workspace's source, or a directory that contains the source: the paths of files would differ. */
export const demandSamePlace = ({ root }: HostTree, seedPath: string | undefined) =>
  Effect.suspend(() => {
    // An archive has no directory.
    const seed = seedPath === undefined ? undefined : realDirectory(seedPath)
    if (seed === undefined || seed === root) return Effect.void
    return isBeneath(root, seed) || isBeneath(seed, root)
      ? wrongSource(
        `${root} is not what the workspace was seeded from, and its files would go to other places; push ${seed}`
      )
      : Effect.void
  })

const isWithin = (dest: string, name: string) => !withinGit(name) && (dest === "" || name.startsWith(`${dest}/`))

/** Refuses to remove all initial files of a workspace: the caller means another directory. */
export const demandSomethingSame = (
  host: HostTree,
  guest: GuestState,
  { delete: deletes, force }: Pick<SyncPushPayload, "delete" | "force">
) =>
  Effect.suspend(() => {
    // No push touches a repository's own files.
    const began = deletes && !force ? [...guest.initial.keys()].filter((name) => isWithin(host.dest, name)) : []
    return began.length > 0 && !began.some((name) => host.files.has(name))
      ? wrongSource(
        `${host.root} has none of the files that the workspace began with, and all of those would be removed; push the ` +
          "directory that they are from, or do it with force"
      )
      : Effect.void
  })
