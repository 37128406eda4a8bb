import { Effect, Stream } from "effect"
import { type ChannelFailed, FileRefused, PatchRejected } from "../../../contract/errors/errors.ts"
import { words } from "../../../contract/errors/next-step.ts"
import { GIT_EXECUTABLE, GIT_FILE, GIT_LINK } from "../../../contract/text/git-mode.ts"
import { pathText } from "../../../contract/text/path-text.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import type { AgentCallFailed } from "../../../lib/guest-channel/model/errors.ts"
import type { SeenFile, WalkEntry } from "../../../lib/guest-channel/model/files.ts"
import { bytesOf, byteString, type Found, limits, type PatchTree } from "../../../lib/patch/model/patch.ts"

type GuestTreeFailure = ChannelFailed | FileRefused | PatchRejected

export interface GuestTree extends PatchTree<GuestTreeFailure> {
  /** State of a file when `at` listed it. `undefined` for an unlisted path. */
  readonly seen: (path: string) => SeenFile | undefined
}

/** Maximum entries of all directories of a patch, so that a guest cannot fill the host's memory. */
const MAX_ENTRIES = 1_000_000

/** A directory of a guest as the tree of a patch. Each directory is listed once, at its first use. */
export const guestTree = (channel: GuestChannel, root: string): GuestTree => {
  /** By the path of the directory ("" is the root); undefined for a path without a directory. */
  const listings = new Map<string, ReadonlyMap<string, WalkEntry> | undefined>()
  let entries = 0

  const list = (directory: string): Effect.Effect<ReadonlyMap<string, WalkEntry> | undefined, GuestTreeFailure> =>
    Effect.gen(function*() {
      if (listings.has(directory)) return listings.get(directory)
      // The agent would follow a link here.
      const isThere = directory === "" || (yield* entryAt(directory))?.type === "directory"
      const listing = isThere ? yield* walked(directory) : undefined
      listings.set(directory, listing)
      return listing
    })

  const walked = (directory: string) =>
    channel.walk({ root, path: bytesOf(directory), maxDepth: 1 }).pipe(
      Stream.runFoldEffect(() => new Map<string, WalkEntry>(), (listing, entry) =>
        ++entries > MAX_ENTRIES
          ? new FileRefused({
            path: shown(directory),
            reason: "too_large",
            detail: "its directories have too many entries"
          })
          : Effect.succeed(listing.set(byteString(entry.path), entry))),
      Effect.catchTag("AgentCallFailed", (failure) =>
        failure.errno === "ENOENT" || failure.errno === "ENOTDIR"
          ? Effect.succeed(undefined)
          : refused(directory)(failure))
    )

  const entryAt = (path: string): Effect.Effect<WalkEntry | undefined, GuestTreeFailure> => {
    const slash = path.lastIndexOf("/")
    return Effect.map(list(path.slice(0, Math.max(0, slash))), (listing) => listing?.get(path.slice(slash + 1)))
  }

  const at = (path: string): Effect.Effect<Found, GuestTreeFailure> =>
    Effect.flatMap(entryAt(path), (entry): Effect.Effect<Found, GuestTreeFailure> => {
      switch (entry?.type) {
        case undefined:
          return Effect.succeed({ _tag: "absent" })
        case "file":
          return Effect.succeed({
            _tag: "file",
            mode: entry!.mode & 0o100 ? GIT_EXECUTABLE : GIT_FILE,
            size: entry!.size
          })
        case "symlink":
          return Effect.succeed({ _tag: "file", mode: GIT_LINK, size: entry!.linkTarget.length })
        case "directory":
          return Effect.map(list(path), (listing) => ({ _tag: "directory", names: Array.from(listing?.keys() ?? []) }))
        default:
          return Effect.succeed({ _tag: "other", what: `a ${entry!.type} (no file)` })
      }
    })

  const content = (path: string): Effect.Effect<Uint8Array, GuestTreeFailure> =>
    Effect.gen(function*() {
      const entry = yield* entryAt(path)
      if (entry?.type === "symlink") return entry.linkTarget
      if (entry === undefined || entry.size > limits.file) return yield* changedMeanwhile(path)
      // A limit of 0 means no limit.
      const reading = channel.readMany({ root, paths: [bytesOf(path)], limit: Math.max(entry.size, 1) })
      const [result] = yield* Stream.runCollect(reading).pipe(Effect.catchTag("AgentCallFailed", refused(path)))
      if (result === undefined || result.errno !== 0 || result.content.length !== entry.size) {
        return yield* changedMeanwhile(path)
      }
      return result.content
    })

  return {
    at,
    content,
    seen: (path) => {
      const slash = path.lastIndexOf("/")
      return listings.get(path.slice(0, Math.max(0, slash)))?.get(path.slice(slash + 1))
    }
  }
}

const shown = (path: string) => path === "" ? "/workspace" : pathText(bytesOf(path))

export const changedMeanwhile = (path: string) =>
  new PatchRejected({
    detail: `${shown(path)} changed or vanished while it was looked at`,
    rejects: [],
    next: [words("Apply it again")]
  })

const refused = (path: string) => ({ detail, errno, operation }: AgentCallFailed) =>
  new FileRefused({ path: shown(path), reason: "failed", detail: `could not ${operation} it: ${errno} (${detail})` })
