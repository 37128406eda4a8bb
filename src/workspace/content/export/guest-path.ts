import { Effect } from "effect"
import { type ChannelFailed, ExportRefused, FileRefused, InvalidRequest } from "../../../contract/errors/errors.ts"
import type { ExportPayload } from "../../../contract/rows/workspace-export.ts"
import { pathBytes } from "../../../contract/text/path-text.ts"
import { shown } from "../../../lib/exporting/names.ts"
import { componentsOf, pathOf, wholeGuest, workspacePath } from "../../../lib/guest-channel/guest-path.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import { hasGitName, raw } from "../../../system/files/folded-name.ts"
import { withoutLinks } from "../files/links.ts"

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

/** The agent's failure at a path as an error. */
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
    case "EROFS":
      return new FileRefused({ path: named, reason: "read_only", detail: failure.message })
    default:
      return new FileRefused({ path: named, reason: "failed", detail: failure.message })
  }
}

/** Whether an export names one absolute path that is not beneath /workspace. */
export const isOutside = (
  { apply, patch, path, paths }: Pick<ExportPayload, "apply" | "patch" | "path" | "paths">
): boolean => {
  const asked = raw(pathBytes(path) ?? new Uint8Array(0))
  return !patch && !apply && paths.length === 0 && asked.startsWith("/") && asked !== WORKSPACE_ROOT &&
    !asked.startsWith(`${WORKSPACE_ROOT}/`)
}

/** A refusal with the absolute path. */
export const outsideRefusal = (failure: FileRefused): FileRefused =>
  new FileRefused({
    path: failure.path.startsWith("/") ? failure.path : `/${failure.path}`,
    reason: failure.reason,
    detail: failure.reason === "not_found" ? "there is no such file or directory" : failure.detail
  })

/**
 * The path from the guest's root, raw. Follows links above the last component, as the guest's programs do. The last component is not
 * followed: the target would be exported under another name.
 */
export const outsidePath = (
  channel: Pick<GuestChannel, "walk">,
  asked: string
): Effect.Effect<string, ChannelFailed | ExportRefused | FileRefused | InvalidRequest> =>
  Effect.gen(function*() {
    const components = componentsOf((yield* workspacePath(asked, wholeGuest)).bytes)
    const name = components.at(-1)
    if (name === undefined || name === "..") {
      return yield* new InvalidRequest({
        field: "path",
        detail: "must name a file or directory of the guest, and not all of it"
      })
    }
    const above = yield* withoutLinks(channel, pathOf(components.slice(0, -1), wholeGuest), wholeGuest)
    const path = [...componentsOf(above.bytes), name].join("/")
    return hasGitName(path)
      ? yield* new ExportRefused({ detail: "nothing in a git directory is exported", paths: [shown(path)] })
      : path
  })
