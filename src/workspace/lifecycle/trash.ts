import { Effect } from "effect"
import { randomBytes } from "node:crypto"
import * as path from "node:path"
import { type NoSpace, StateDirectoryUnusable } from "../../contract/errors.ts"
import { renameFile, statEntry } from "../../system/files/entries.ts"
import { listIfPresent, removeTree } from "../../system/files/folders.ts"
import { toHostError, toHostErrorOf } from "../../system/files/host-error.ts"
import { Paths } from "../../system/Paths.ts"
import { workspacesDirectory } from "./record.ts"

/** What was taken out of the workspaces, to be removed; no record ever names such a folder. */
const sweptPrefix = ".swept-"

/** Takes a folder, of a workspace or in one, out of the workspaces in one step, if it is there. Where it is then, to be removed. */
export const moveToTrash = (what: string): Effect.Effect<string, NoSpace | StateDirectoryUnusable, Paths> =>
  Effect.gen(function*() {
    const { stateDir } = yield* Paths
    const aside = path.join(workspacesDirectory(stateDir), `${sweptPrefix}${randomBytes(8).toString("hex")}`)
    // A link, to anything, is taken as such.
    if ((yield* statEntry(what)) !== undefined) yield* renameFile(what, aside)
    return aside
  }).pipe(Effect.catchTag("FileFailed", (failure) => Effect.fail(toHostErrorOf(what)(failure))))

const remove = (aside: string) =>
  Effect.mapError(
    removeTree(aside),
    ({ detail }) => new StateDirectoryUnusable({ path: aside, detail: `it cannot be removed: ${detail}` })
  )

/** Removes what `moveToTrash` took. What cannot be removed is nobody's any more: it is tried again at the next start, and by `pyro gc`. */
export const removeTrashed = (aside: string) =>
  Effect.catchAll(remove(aside), (failure) => Effect.logWarning(failure.message))

/**
 * Removes all that is aside; what cannot be removed keeps nothing else. Gives what stays. Harmless beside another process that does the
 * same, or beside whoever took it there.
 */
export const emptyTrash: Effect.Effect<
  ReadonlyArray<StateDirectoryUnusable>,
  NoSpace | StateDirectoryUnusable,
  Paths
> = Effect.gen(function*() {
  const root = workspacesDirectory((yield* Paths).stateDir)
  const names = yield* Effect.mapError(listIfPresent(root), toHostError)
  const aside = names.filter((name) => name.startsWith(sweptPrefix))
  const [stay] = yield* Effect.partition(aside, (name) => remove(path.join(root, name)))
  yield* Effect.forEach(stay, (failure) => Effect.logWarning(failure.message), { discard: true })
  return stay
})
