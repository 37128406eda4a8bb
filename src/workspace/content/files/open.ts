import { Effect, type Scope, Stream } from "effect"
import type { ChannelFailed, FileRefused } from "../../../contract/errors/errors.ts"
import type { FileState } from "../../../guest-channel/files.ts"
import { type GuestTree, type WorkspacePath, workspaceTree } from "../../../guest-channel/guest-path.ts"
import type { GuestChannel } from "../../../guest-channel/GuestChannel.ts"
import { fileFailure } from "./failures.ts"

export interface OpenedFile {
  readonly state: FileState
  /** To be run once. */
  readonly content: Stream.Stream<Uint8Array, ChannelFailed | FileRefused>
}

/** Opens a file beneath a tree's root for reading, for as long as the scope lasts. */
export const openFile = (
  channel: GuestChannel,
  path: WorkspacePath,
  tree: GuestTree = workspaceTree
): Effect.Effect<OpenedFile, ChannelFailed | FileRefused, Scope.Scope> =>
  channel.openFile({ root: tree.root, path: path.bytes }).pipe(
    Effect.map(({ content, state }) => ({
      state,
      content: Stream.catchTag(
        content,
        "AgentCallFailed",
        (failure) => Stream.fail(fileFailure(path.text, tree)(failure))
      )
    })),
    Effect.catchTag("AgentCallFailed", (failure) => fileFailure(path.text, tree)(failure))
  )
