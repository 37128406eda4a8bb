import { Effect, Option, Stream } from "effect"
import { type ChannelFailed, FileRefused, type InvalidRequest } from "../../../contract/errors/errors.ts"
import { pathBytes } from "../../../contract/text/path-text.ts"
import type { WalkEntry } from "../../../guest-channel/files.ts"
import {
  componentsOf,
  pathOf,
  wholeGuest,
  type WorkspacePath,
  workspacePath
} from "../../../guest-channel/guest-path.ts"
import type { GuestChannel } from "../../../guest-channel/GuestChannel.ts"
import { fileFailure } from "../files/failures.ts"
import { withoutLinks } from "../files/links.ts"

const SLASH = 0x2f

/** A requested path of the whole guest; a relative one is relative to /workspace. */
export const guestPathOf = (text: string): Effect.Effect<WorkspacePath, FileRefused | InvalidRequest> => {
  const bytes = pathBytes(text)
  return bytes === undefined || bytes[0] === SLASH || text.startsWith("\"")
    ? workspacePath(text, wholeGuest)
    : workspacePath(`/workspace/${text}`, wholeGuest)
}

/** The entry at a path without links. None if nothing is there; the root is a directory. */
const typeAt = (
  channel: GuestChannel,
  path: WorkspacePath
): Effect.Effect<WalkEntry["type"] | undefined, ChannelFailed | FileRefused> => {
  const components = componentsOf(path.bytes)
  const name = components.at(-1)
  if (name === undefined) return Effect.succeed("directory")
  const above = pathOf(components.slice(0, -1), wholeGuest)
  return channel.walk({ root: wholeGuest.root, path: above.bytes, maxDepth: 1 }).pipe(
    Stream.filter((entry) => Buffer.from(entry.path).toString("latin1") === name),
    Stream.runHead,
    Effect.map((found) => Option.getOrUndefined(found)?.type),
    Effect.catchTag(
      "AgentCallFailed",
      (failure) => failure.errno === "ENOENT" ? Effect.succeed(undefined) : fileFailure(above.text, wholeGuest)(failure)
    )
  )
}

/**
 * Where a copy goes, without links on the way: the requested path, or the source's name in it, if it is a directory or ends with `/`.
 * `name` is undefined for a content that has none.
 */
export const targetOf = (
  channel: GuestChannel,
  asked: string,
  name: string | undefined,
  kind: "file" | "directory"
): Effect.Effect<WorkspacePath, ChannelFailed | FileRefused | InvalidRequest> =>
  Effect.gen(function*() {
    const path = yield* withoutLinks(channel, yield* guestPathOf(asked), wholeGuest)
    const there = yield* typeAt(channel, path)
    const asDirectory = there === "directory" || /(^|\/)\.{0,2}$/.test(asked)
    if (!asDirectory) {
      return kind === "directory" && there !== undefined
        ? yield* new FileRefused({
          path: path.text,
          reason: "not_a_directory",
          detail:
            `the workspace has a ${there} there, and a directory replaces none. Remove it there first, or name another path`
        })
        : path
    }
    if (name === undefined) {
      return yield* new FileRefused({
        path: path.text,
        reason: "not_a_file",
        detail: "names a directory; name the file"
      })
    }
    return pathOf([...componentsOf(path.bytes), name], wholeGuest)
  })
