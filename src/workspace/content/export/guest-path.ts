import { FileRefused } from "../../../contract/errors/errors.ts"
import { pathBytes, pathText } from "../../../contract/text/path-text.ts"
import { bytesOf, raw } from "../../../system/files/folded-name.ts"

/** Directory of the guest that exports read. */
export const WORKSPACE_ROOT = "/workspace"

/** A requested path (git's quoted form included), relative to /workspace and raw; "" is /workspace itself. */
export const guestPath = (asked: string): string | FileRefused => {
  const refused = (reason: FileRefused["reason"], detail: string) => new FileRefused({ path: asked, reason, detail })
  const bytes = pathBytes(asked)
  if (bytes === undefined || bytes.includes(0)) return refused("outside", "it is not a path")
  const path = raw(bytes)
  const relative = path === WORKSPACE_ROOT || path.startsWith(`${WORKSPACE_ROOT}/`)
    ? path.slice(WORKSPACE_ROOT.length)
    : path
  if (relative.startsWith("/") && relative === path) return refused("outside", "only what is in /workspace is exported")
  const components = relative.split("/").filter((part) => part !== "" && part !== ".")
  return components.includes("..")
    ? refused("outside", "a path with .. in it is not followed; name it without")
    : components.join("/")
}

/** A raw path of the guest for people. */
export const shown = (path: string) => path === "" ? "" : pathText(bytesOf(path))

/** The agent's "no", about a path. */
export const refusalOf = (path: string, failure: { readonly errno: string; readonly message: string }): FileRefused => {
  const named = path === "" ? WORKSPACE_ROOT : shown(path)
  switch (failure.errno) {
    case "ENOENT":
      return new FileRefused({ path: named, reason: "not_found", detail: "it is not in /workspace" })
    case "EXDEV":
      return new FileRefused({ path: named, reason: "outside", detail: "it leads out of /workspace" })
    case "ENOTDIR":
      return new FileRefused({
        path: named,
        reason: "not_a_directory",
        detail: "a file is where a directory should be"
      })
    case "EACCES":
    case "EPERM":
      return new FileRefused({ path: named, reason: "permission", detail: failure.message })
    default:
      return new FileRefused({ path: named, reason: "failed", detail: failure.message })
  }
}
