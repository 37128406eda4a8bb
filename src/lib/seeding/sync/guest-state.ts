import { Effect, Stream } from "effect"
import { type ChannelFailed, FileRefused, type StateDirectoryUnusable } from "../../../contract/errors/errors.ts"
import { GIT_EXECUTABLE, GIT_FILE, GIT_LINK } from "../../../contract/text/git-mode.ts"
import { pathText } from "../../../contract/text/path-text.ts"
import { sha256Hex } from "../../../system/files/digest.ts"
import type { GuestChannel } from "../../guest-channel/GuestChannel.ts"
import type { AgentCallFailed } from "../../guest-channel/model/errors.ts"
import type { GuestPath, WalkEntry } from "../../guest-channel/model/files.ts"
import { hasKept, type Kept } from "../model/kept.ts"
import { nameOf, type Pushed, pushedContent } from "../model/pushed.ts"

/** Paths of the guest's tree and its baseline. */
export interface SyncTrees {
  readonly live: GuestPath & { readonly root: string }
  /** Mounted (`Calls.baseline`). */
  readonly baseline: GuestPath
}

const mostEntries = 1_000_000

/** State of the guest's side, by path in latin1. */
export interface GuestState {
  readonly channel: GuestChannel
  readonly trees: SyncTrees
  readonly pushed: Pushed
  readonly live: ReadonlyMap<string, WalkEntry>
  /** Files and links of the baseline, with pushed ones. */
  readonly initial: ReadonlyMap<string, InitialFile>
  /** Differences of the live tree from the seed image. */
  readonly differing: ReadonlySet<string>
}

interface InitialFile {
  readonly mode: number
  readonly size: number
  readonly mtimeNs: bigint
  readonly link: Buffer | undefined
}

export const isFileOrLink = (
  entry: WalkEntry | undefined
): entry is WalkEntry & { readonly type: "file" | "symlink" } => entry?.type === "file" || entry?.type === "symlink"

const gitMode = (entry: WalkEntry) =>
  entry.type === "symlink" ? GIT_LINK : (entry.mode & 0o100) === 0 ? GIT_FILE : GIT_EXECUTABLE

export const readGuest = (
  channel: GuestChannel,
  trees: SyncTrees,
  pushed: Pushed
): Effect.Effect<GuestState, ChannelFailed | FileRefused | StateDirectoryUnusable> =>
  Effect.gen(function*() {
    const live = yield* walked(channel, trees.live)
    const base = yield* walked(channel, trees.baseline)
    const differences = channel.compare({ old: trees.baseline, new: trees.live, skip: ".git" }).pipe(
      Stream.map(({ path }) => nameOf(path)),
      Stream.take(2 * mostEntries)
    )
    const differing = new Set(yield* Stream.runCollect(differences).pipe(guestFailure("/workspace")))
    const initial = new Map<string, InitialFile>()
    for (const [name, entry] of base) {
      if (!isFileOrLink(entry)) continue
      const link = entry.type === "symlink" ? Buffer.from(entry.linkTarget) : undefined
      initial.set(name, { mode: gitMode(entry), size: entry.size, mtimeNs: entry.mtimeNs, link })
    }
    for (const [name, entry] of pushed.entries) {
      if (entry._tag === "absent") initial.delete(name)
      else {
        const link = entry.mode === GIT_LINK ? yield* pushedContent(pushed, name, entry) : undefined
        initial.set(name, { mode: entry.mode, size: entry.size, mtimeNs: BigInt(entry.mtimeNs), link })
      }
    }
    return { channel, trees, pushed, live, initial, differing }
  })

const walked = (channel: GuestChannel, tree: GuestPath) =>
  Effect.suspend(() => {
    const found = new Map<string, WalkEntry>()
    return channel.walk(tree).pipe(
      // In chunks: an effect for each of a million entries takes seconds.
      Stream.runForEachArray((entries): Effect.Effect<void, FileRefused> => {
        for (const entry of entries) found.set(nameOf(entry.path), entry)
        return found.size > mostEntries ? tooManyFiles : Effect.void
      }),
      guestFailure("/workspace"),
      Effect.as(found)
    )
  })

const tooManyFiles = new FileRefused({
  path: "/workspace",
  reason: "too_large",
  detail: `it has more than ${mostEntries} files and directories, the most of a workspace for a push`
})

/** Whether the guest's file differs from the baseline's. */
export const isChanged = (guest: GuestState, name: string) => {
  const entry = guest.pushed.entries.get(name)
  const live = guest.live.get(name)
  if (entry === undefined) return Effect.succeed(guest.differing.has(name))
  if (entry._tag === "absent") return Effect.succeed(live !== undefined)
  return Effect.map(hasContent(guest, live, entry.mode, guest.pushed.keptOf(entry)), (same) => !same)
}

export const hasContent = (
  { channel, trees }: GuestState,
  live: WalkEntry | undefined,
  mode: number,
  kept: Pick<Kept, "sha256" | "size">
): Effect.Effect<boolean, ChannelFailed | FileRefused> => {
  if (!isFileOrLink(live) || gitMode(live) !== mode) return Effect.succeed(false)
  if (live.type === "symlink") return Effect.succeed(sha256Hex(live.linkTarget) === kept.sha256)
  if (live.size !== kept.size) return Effect.succeed(false)
  if (live.size > ONE_MESSAGE_BYTES) {
    return hasKept(channel, { root: trees.live.root, path: live.path }, kept).pipe(guestFailure(pathText(live.path)))
  }
  // A limit of 0 means no limit.
  return channel.readMany({ root: trees.live.root, paths: [live.path], limit: Math.max(live.size, 1) }).pipe(
    Stream.runHead,
    guestFailure(pathText(live.path)),
    Effect.map((read) =>
      read._tag === "Some" && read.value.errno === 0 && sha256Hex(read.value.content) === kept.sha256
    )
  )
}

/** Maximum bytes of a guest's file that is read into memory. */
const ONE_MESSAGE_BYTES = 16 * 1024 * 1024

/** The guest's refusal as an error of a push, which is all or nothing. */
export const guestFailure = (path: string) => <A, E, R>(effect: Effect.Effect<A, E | AgentCallFailed, R>) =>
  Effect.catchIf(
    effect,
    (failure): failure is AgentCallFailed => (failure as { readonly _tag?: unknown })._tag === "AgentCallFailed",
    ({ detail, errno, hint, operation }) =>
      new FileRefused({
        path,
        reason: errno === "ENOSPC" ? "no_space" : "failed",
        detail: hint !== undefined
          ? `${hint}; nothing was pushed`
          : errno === "ESTALE"
          ? "something changed there meanwhile; nothing was pushed, try again"
          : `could not ${operation}: ${errno} (${detail}); nothing was pushed`
      })
  )
