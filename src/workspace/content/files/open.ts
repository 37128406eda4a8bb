import { Effect, Stream } from "effect"
import { FileRefused } from "../../../contract/errors/errors.ts"
import { table } from "../../../contract/text/names.ts"
import { type AgentCallFailed, DISK_HINTS } from "../../../guest-channel/errors.ts"
import type { FollowedPath } from "../../../guest-channel/files.ts"
import { type GuestTree, type WorkspacePath, workspaceTree } from "../../../guest-channel/guest-path.ts"
import type { GuestChannel } from "../../../guest-channel/GuestChannel.ts"

/** A path of a tree in a request to the agent. */
export const asked = ({ bytes }: WorkspacePath, { inRoot, root }: GuestTree): FollowedPath => ({
  root,
  path: bytes,
  inRoot
})

/** Opens a file beneath a tree's root for reading, until the scope ends. The stream of the content can run once. */
export const openFile = (
  channel: GuestChannel,
  path: WorkspacePath,
  tree: GuestTree = workspaceTree,
  user?: string | undefined
) =>
  channel.openFile({ ...asked(path, tree), user }).pipe(
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

type Reason = FileRefused["reason"]

const reasons = table<readonly [Reason, string]>({
  ENOENT: ["not_found", "there is no such file"],
  ENOTDIR: ["not_a_directory", "it, or a part of its path, is not a directory"],
  EISDIR: ["not_a_file", "is a directory"],
  EINVAL: ["not_a_file", "is not a regular file"],
  ENXIO: ["not_a_file", "is not a regular file"],
  EACCES: ["permission", "the guest's kernel does not permit it"],
  EPERM: ["permission", "the guest's kernel does not permit it"],
  EROFS: ["permission", "its file system is read-only"],
  EBUSY: ["failed", "something is mounted there, which only a command can write or remove"],
  ENOSPC: ["no_space", "the workspace's disk is full; nothing was changed, delete something and try again"],
  EDQUOT: ["no_space", "the quota is used up; nothing was changed, delete something and try again"],
  EUCLEAN: ["failed", DISK_HINTS.EUCLEAN],
  ENODEV: ["failed", DISK_HINTS.ENODEV],
  EFBIG: ["too_large", "is larger than the guest's file system takes"],
  ELOOP: ["failed", "has too many symlinks on its way"],
  ENAMETOOLONG: ["failed", "has a name that is too long"]
})

/** Error of the guest's kernel, in the contract's form. */
export const fileFailure =
  (path: string, { shown }: GuestTree = workspaceTree) =>
  ({ detail, errno, isUser, operation }: AgentCallFailed): FileRefused => {
    if (isUser === true) {
      const cause = errno === "ENOENT" ? "the workspace has no such user" : errno
      return new FileRefused({
        path,
        reason: "permission",
        detail: `could not act as the user ${detail}: ${cause}; name another user`
      })
    }
    if (errno === "EXDEV") {
      return new FileRefused({ path, reason: "outside", detail: `leads out of ${shown} (through a symlink or "..")` })
    }
    const known = reasons[errno]
    return known === undefined
      ? new FileRefused({ path, reason: "failed", detail: `could not ${operation} it: ${errno} (${detail})` })
      : new FileRefused({ path, reason: known[0], detail: known[1] })
  }

/** Permission bits in octal notation. */
export const modeText = (mode: number) => mode.toString(8).padStart(4, "0")
