import { Effect } from "effect"
import { randomBytes } from "node:crypto"
import * as path from "node:path"
import { type NoSpace, StateDirectoryUnusable } from "../../contract/errors/errors.ts"
import { renameFile, statEntry } from "../../system/files/entries.ts"
import { listIfPresent, removeTree } from "../../system/files/folders.ts"
import { toHostError, toHostErrorOf } from "../../system/files/host-error.ts"
import { Paths } from "../../system/files/Paths.ts"
import { workspacesDirectory } from "../entry/record.ts"

/** Folders taken out of the workspaces, to be removed. No record names them. */
const sweptPrefix = ".swept-"

/** Moves an existing folder, of a workspace or in one, into the trash by one rename. Gives its new path. */
export const moveToTrash = (what: string): Effect.Effect<string, NoSpace | StateDirectoryUnusable, Paths> =>
  Effect.gen(function*() {
    const { stateDir } = yield* Paths
    const aside = path.join(workspacesDirectory(stateDir), `${sweptPrefix}${randomBytes(8).toString("hex")}`)
    // A link counts as a link, for any target.
    if ((yield* statEntry(what)) !== undefined) yield* renameFile(what, aside)
    return aside
  }).pipe(Effect.catchTag("FileFailed", (failure) => Effect.fail(toHostErrorOf(what)(failure))))

const remove = (aside: string) =>
  Effect.mapError(
    removeTree(aside),
    ({ detail }) => new StateDirectoryUnusable({ path: aside, detail: `it cannot be removed: ${detail}` })
  )

/** Removes a folder of `moveToTrash`. The next start and `pyro gc` retry a failed removal. */
export const removeTrashed = (aside: string) =>
  Effect.catch(remove(aside), (failure) => Effect.logWarning(failure.message))

/**
 * Empties the trash. A failure does not stop the other removals. Gives the paths that stay. Safe beside another process that does
 * the same.
 */
export const emptyTrash: Effect.Effect<
  ReadonlyArray<StateDirectoryUnusable>,
  NoSpace | StateDirectoryUnusable,
  Paths
> = Effect.gen(function*() {
  const root = workspacesDirectory((yield* Paths).stateDir)
  const names = yield* Effect.mapError(listIfPresent(root), toHostError)
  const aside = names.filter((name) => name.startsWith(sweptPrefix))
  const [, stay] = yield* Effect.partition(aside, (name) => remove(path.join(root, name)))
  yield* Effect.forEach(stay, (failure) => Effect.logWarning(failure.message), { discard: true })
  return stay
})
