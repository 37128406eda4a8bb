import { Effect, Option, Stream } from "effect"
import { type ChannelFailed, FileRefused } from "../../../contract/errors/errors.ts"
import { componentsOf, type GuestTree, pathOf, type WorkspacePath } from "../../../lib/guest-channel/guest-path.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import { MAX_WALKED } from "./list.ts"
import { fileFailure } from "./open.ts"

/** Maximum links on one path, as in Linux. */
const MAX_LINKS = 40

/**
 * The path without links on its way. An absolute link starts at the tree's root, as for the workspace's programs. (The agent refuses
 * every absolute link.) A missing entry stays in the path, and the agent reports it.
 */
export const withoutLinks = (
  channel: Pick<GuestChannel, "walk">,
  path: WorkspacePath,
  tree: GuestTree
): Effect.Effect<WorkspacePath, ChannelFailed | FileRefused> =>
  Effect.gen(function*() {
    const refusal = new FileRefused({ path: path.text, reason: "failed", detail: "has too many symlinks on its way" })
    let rest = componentsOf(path.bytes)
    let done: ReadonlyArray<string> = []
    let links = 0
    while (rest.length > 0) {
      const [name, ...after] = rest as [string, ...Array<string>]
      rest = after
      if (name === "..") {
        done = done.slice(0, -1)
        continue
      }
      const target = yield* linkAt(channel, pathOf(done, tree), name, tree)
      if (target === undefined) {
        done = [...done, name]
        continue
      }
      if (++links > MAX_LINKS) return yield* refusal
      if (target[0] === 0x2f) done = []
      rest = [...componentsOf(target), ...rest]
    }
    return pathOf(done, tree)
  })

/** Target of the link with this name in a directory. `undefined` for other entries and for a missing directory. */
const linkAt = (channel: Pick<GuestChannel, "walk">, directory: WorkspacePath, name: string, tree: GuestTree) => {
  const wanted = Buffer.from(name, "latin1")
  return channel.walk({ root: tree.root, path: directory.bytes, maxDepth: 1 }).pipe(
    Stream.take(MAX_WALKED),
    Stream.filter((entry) => wanted.equals(entry.path)),
    Stream.runHead,
    Effect.map((found) => Option.isSome(found) && found.value.type === "symlink" ? found.value.linkTarget : undefined),
    Effect.catchTag("AgentCallFailed", (failure) =>
      failure.errno === "ENOENT" || failure.errno === "ENOTDIR"
        ? Effect.succeed(undefined)
        : fileFailure(directory.text, tree)(failure))
  )
}
