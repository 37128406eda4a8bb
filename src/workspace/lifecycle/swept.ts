import { Effect } from "effect"
import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { Paths } from "../../system/Paths.ts"
import { removeTree } from "./context.ts"
import { workspacesDirectory } from "./record.ts"

/** What was taken out of the workspaces, to be removed; no record ever names such a folder. */
const sweptPrefix = ".swept-"

/** Takes a folder, of a workspace or in one, out of the workspaces in one step, if it is there. Where it is then, to be removed. */
export const sweepAside = (what: string): Effect.Effect<string, never, Paths> =>
  Effect.map(Paths, ({ stateDir }) => {
    const aside = path.join(workspacesDirectory(stateDir), `${sweptPrefix}${randomBytes(8).toString("hex")}`)
    // A link, to anything, is taken as such.
    if (fs.lstatSync(what, { throwIfNoEntry: false }) !== undefined) fs.renameSync(what, aside)
    return aside
  })

/** Removes what is aside. Harmless beside another process that does the same, or beside whoever took it there. */
export const removeSwept: Effect.Effect<void, never, Paths> = Effect.gen(function*() {
  const root = workspacesDirectory((yield* Paths).stateDir)
  const aside = (fs.existsSync(root) ? fs.readdirSync(root) : []).filter((name) => name.startsWith(sweptPrefix))
  yield* Effect.forEach(aside, (name) => Effect.promise(() => removeTree(path.join(root, name))), { discard: true })
})
