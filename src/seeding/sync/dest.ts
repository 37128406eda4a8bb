import { Effect } from "effect"
import { FileRefused, InvalidRequest } from "../../contract/errors/errors.ts"
import { pathBytes } from "../../contract/text/path-text.ts"
import { componentsOf, workspaceRoot } from "../../guest-channel/guest-path.ts"
import { hasGitName, isPlainPath } from "../../system/files/folded-name.ts"
import { parentsOf } from "../pushed.ts"
import type { Look } from "./look.ts"
import { textOf } from "./plan.ts"

const refused = (detail: string) => new InvalidRequest({ field: "dest", detail })

/** Directory of the workspace that a push goes to, relative to /workspace and in latin1; "" is /workspace itself. */
export const destination = (dest: string): Effect.Effect<string, InvalidRequest> =>
  Effect.suspend(() => {
    const bytes = pathBytes(dest)
    if (bytes === undefined) return refused("begins with a quote, but is no path in git's quoted form")
    const components = componentsOf(bytes)
    const isBeneath = bytes[0] !== SLASH || `/${components[0] ?? ""}` === workspaceRoot
    if (!isBeneath || components.includes("..")) return refused("must be a directory beneath /workspace, without ..")
    const name = (bytes[0] === SLASH ? components.slice(1) : components).join("/")
    if (name === "") return Effect.succeed("")
    if (!isPlainPath(name)) {
      return refused("must be a path without a NUL byte and without a name of more than 255 bytes")
    }
    return hasGitName(name) ? refused("nothing is written in a git directory") : Effect.succeed(name)
  })

const SLASH = 0x2f

/** Fails where the workspace has a file or a link in place of the directory: a push replaces neither. */
export const demandDirectory = (dest: string, { live }: Look): Effect.Effect<void, FileRefused> => {
  const blocked = parentsOf(`${dest}/`).find((name) => (live.get(name)?.type ?? "directory") !== "directory")
  return blocked === undefined ? Effect.void : new FileRefused({
    path: textOf(blocked),
    reason: "not_a_directory",
    detail: `the workspace has a ${live.get(blocked)!.type} there`
  })
}
