import { Effect } from "effect"
import { type ChannelFailed, ExportRefused, FileRefused, InvalidRequest } from "../../../contract/errors/errors.ts"
import type { ExportPayload } from "../../../contract/rows/workspace-export.ts"
import { pathBytes } from "../../../contract/text/path-text.ts"
import { componentsOf, pathOf, wholeGuest, workspacePath } from "../../../guest-channel/guest-path.ts"
import type { GuestChannel } from "../../../guest-channel/GuestChannel.ts"
import { hasGitName, raw } from "../../../system/files/folded-name.ts"
import { withoutLinks } from "../files/links.ts"
import { shown, WORKSPACE_ROOT } from "./guest-path.ts"

/** Whether an export names one absolute path that is not beneath /workspace. */
export const isOutside = ({ patch, path, paths }: Pick<ExportPayload, "patch" | "path" | "paths">): boolean => {
  const asked = raw(pathBytes(path) ?? new Uint8Array(0))
  return !patch && paths.length === 0 && asked.startsWith("/") && asked !== WORKSPACE_ROOT &&
    !asked.startsWith(`${WORKSPACE_ROOT}/`)
}

/** A refusal about a path from the guest's root, as an absolute path. */
export const outsideRefusal = (failure: FileRefused): FileRefused =>
  new FileRefused({
    path: failure.path.startsWith("/") ? failure.path : `/${failure.path}`,
    reason: failure.reason,
    detail: failure.reason === "not_found" ? "there is no such file or directory" : failure.detail
  })

/**
 * The path from the guest's root, raw. Links above the path are followed, as the guest's programs follow them. The last component is not: a
 * link's target would be exported under a name that it does not have.
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
