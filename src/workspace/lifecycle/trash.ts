import { Effect } from "effect"
import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { StateDirectoryUnusable } from "../../contract/errors.ts"
import { Paths } from "../../system/Paths.ts"
import { workspacesDirectory } from "./record.ts"

/** What was taken out of the workspaces, to be removed; no record ever names such a folder. */
const sweptPrefix = ".swept-"

/** Takes a folder, of a workspace or in one, out of the workspaces in one step, if it is there. Where it is then, to be removed. */
export const moveToTrash = (what: string): Effect.Effect<string, never, Paths> =>
  Effect.map(Paths, ({ stateDir }) => {
    const aside = path.join(workspacesDirectory(stateDir), `${sweptPrefix}${randomBytes(8).toString("hex")}`)
    // A link, to anything, is taken as such.
    if (fs.lstatSync(what, { throwIfNoEntry: false }) !== undefined) fs.renameSync(what, aside)
    return aside
  })

const remove = (aside: string) =>
  Effect.tryPromise({
    try: () => fs.promises.rm(aside, { recursive: true, force: true }),
    catch: (cause) =>
      new StateDirectoryUnusable({ path: aside, detail: `it cannot be removed: ${(cause as Error).message}` })
  })

/** Removes what `moveToTrash` took. What cannot be removed is nobody's any more: it is tried again at the next start, and by `pyro gc`. */
export const removeTrashed = (aside: string) =>
  Effect.catchAll(remove(aside), (failure) => Effect.logWarning(failure.message))

/**
 * Removes all that is aside; what cannot be removed keeps nothing else. Gives what stays. Harmless beside another process that does the
 * same, or beside whoever took it there.
 */
export const emptyTrash: Effect.Effect<ReadonlyArray<StateDirectoryUnusable>, never, Paths> = Effect.gen(function*() {
  const root = workspacesDirectory((yield* Paths).stateDir)
  const aside = (fs.existsSync(root) ? fs.readdirSync(root) : []).filter((name) => name.startsWith(sweptPrefix))
  const [stay] = yield* Effect.partition(aside, (name) => remove(path.join(root, name)))
  yield* Effect.forEach(stay, (failure) => Effect.logWarning(failure.message), { discard: true })
  return stay
})
