import { Effect, Stream } from "effect"
import { FileRefused } from "../../../contract/errors/errors.ts"
import { words } from "../../../contract/errors/next-step.ts"
import { table } from "../../../contract/text/names.ts"
import { type GuestTree, type WorkspacePath, workspaceTree } from "../../../lib/guest-channel/guest-path.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import { type AgentCallFailed, DISK_HINTS } from "../../../lib/guest-channel/model/errors.ts"
import type { FollowedPath } from "../../../lib/guest-channel/model/files.ts"

/** A path of a tree in a request to the agent. */
export const asked = ({ bytes }: WorkspacePath, { inRoot, root }: GuestTree): FollowedPath => ({
  root,
  path: bytes,
  inRoot
})

/** Which part of a file to read, and as whom. */
interface OpenOptions {
  readonly user?: string | undefined
  /** First byte. @default 0 */
  readonly offset?: number | undefined
  /** Bytes at most. @default to the end */
  readonly limit?: number | undefined
}

/** Opens a file beneath a tree's root for reading, until the scope ends. The stream of the content can run once. */
export const openFile = (
  channel: GuestChannel,
  path: WorkspacePath,
  tree: GuestTree = workspaceTree,
  options: OpenOptions = {}
) => {
  const stalled = stalledAt(path)
  return channel.openFile({ ...asked(path, tree), ...options }).pipe(
    Effect.timeoutOrElse({ duration: STALLED_MS, orElse: () => Effect.fail(stalled) }),
    Effect.map(({ content, state }) => ({
      state,
      content: withinTime(
        Stream.catchTag(
          content,
          "AgentCallFailed",
          (failure) => Stream.fail(fileFailure(path.text, tree)(failure))
        ),
        stalled
      )
    })),
    Effect.catchTag("AgentCallFailed", (failure) => fileFailure(path.text, tree)(failure))
  )
}

/** Maximum time until the guest's next bytes of a file, in ms: some files of a guest never give any. */
const STALLED_MS = 60_000

const stalledAt = ({ text }: WorkspacePath) =>
  new FileRefused({
    path: text,
    reason: "failed",
    detail: `the guest gave no byte of it for ${STALLED_MS / 1000} seconds`,
    next: [words("Read it with a command, which has a timeout")]
  })

/** The same stream. It fails if its next elements take longer. Only time in which the reader waits counts. */
export const withinTime = <A, E, E2>(stream: Stream.Stream<A, E>, stalled: E2): Stream.Stream<A, E | E2> =>
  Stream.transformPull(
    stream,
    (pull) => Effect.succeed(Effect.timeoutOrElse(pull, { duration: STALLED_MS, orElse: () => Effect.fail(stalled) }))
  )

type Reason = FileRefused["reason"]

const reasons = table<readonly [Reason, string]>({
  ENOENT: ["not_found", "there is no such file"],
  ENOTDIR: ["not_a_directory", "it, or a part of its path, is not a directory"],
  EISDIR: ["is_a_directory", "is a directory"],
  EINVAL: ["not_a_file", "is not a regular file"],
  ENXIO: ["not_a_file", "is not a regular file"],
  EACCES: ["permission", "the guest's kernel does not permit it"],
  EPERM: ["permission", "the guest's kernel does not permit it"],
  EROFS: ["read_only", "its file system is read-only"],
  ENOTEMPTY: ["not_empty", "is a directory with content"],
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
      const cause = errno === "ENOENT" ? "the guest has no such user" : errno
      return new FileRefused({
        path,
        reason: "permission",
        detail:
          `could not act as the user ${detail}: ${cause}. Name root, a user of the guest's /etc/passwd, a uid such as 1000, or uid:gid`
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
