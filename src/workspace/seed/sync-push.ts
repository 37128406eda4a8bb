import { Effect, identity, Stream } from "effect"
import { type ChannelFailed, FileRefused, type PyroError, type StateDirectoryUnusable } from "../../contract/errors.ts"
import { firstOf } from "../../contract/first-of.ts"
import type { SyncPushed, SyncPushPayload } from "../../contract/operations/workspace-sync.ts"
import { pathText } from "../../disk/path-text.ts"
import type { FileChange } from "../../guest-channel/change-files.ts"
import type { GuestPath } from "../../guest-channel/files.ts"
import type { GuestChannel } from "../../guest-channel/GuestChannel.ts"
import type { WalkEntry } from "../../guest-channel/walk.ts"
import { guestFailure } from "./guest-failure.ts"
import { type HostFile, isGone, listHost, readHost } from "./host-tree.ts"
import { keepContent, type Pushed, type PushedEntry, readPushed, writePushed } from "./pushed.ts"
import type { PrepareServices } from "./request.ts"

/** Where a push goes. */
export interface SyncTarget {
  /** The workspace's folder, which remembers what was pushed. */
  readonly folder: string
  /** What the guest works in. */
  readonly live: GuestPath & { readonly root: string }
  /** What it started with; mounted (`Calls.baseline`). */
  readonly baseline: GuestPath
  /** Runs the recording of what was pushed, or fails where the guest is not the workspace's any more. @default always runs it */
  readonly whileCurrent?: (record: Effect.Effect<void, StateDirectoryUnusable>) => Effect.Effect<void, PyroError>
}

const mib = 1024 * 1024
/** Largest file, and the most in one push: what is pushed goes through this process's memory. */
const mostFileBytes = 64 * mib
const mostBytes = 512 * mib
const mostEntries = 1_000_000
/** Of each list in the report. */
const told = { most: 1000, maxBytes: 4 * mib }

/**
 * Brings what has changed on the host since the baseline into the guest, in one step or not at all, and adds it to the baseline.
 * What was changed in the guest too stays as it is and is told, unless forced.
 */
export const syncPush = (
  channel: GuestChannel,
  payload: Omit<SyncPushPayload, "workspace">,
  target: SyncTarget
): Effect.Effect<SyncPushed, PyroError, PrepareServices> =>
  Effect.scoped(Effect.gen(function*() {
    const host = yield* listHost(payload.sourcePath, payload.includeIgnored)
    const pushed = yield* readPushed(target.folder)
    const look = yield* lookAt(channel, target, pushed)
    const push = newPush(payload.force, [...host.skipped])
    for (const file of host.files.values()) yield* offer(channel, target, look, host.root, file, push)
    if (payload.delete) {
      for (const name of look.started.keys()) {
        const path = Buffer.from(name, "latin1")
        if (!host.files.has(name) && !withinGit(name) && isGone(host.root, path)) {
          yield* withdraw(channel, target, look, path, push)
        }
      }
    }
    const record = push.entries.size === 0
      ? Effect.void
      : (target.whileCurrent ?? identity)(
        writePushed(target.folder, new Map([...pushed.entries, ...push.entries]))
      )
    // What the guest has is recorded even where the caller leaves in between; after a crash there another push finds it equal.
    yield* Effect.uninterruptibleMask((restore) =>
      Effect.zipRight(
        push.changes.length === 0
          ? Effect.void
          : restore(channel.changeFiles(target.live.root, push.changes).pipe(guestFailure("/workspace"))),
        record
      )
    )
    return {
      filesPushed: push.files.length,
      bytes: push.bytes,
      files: firstOf(push.files, told),
      conflictCount: push.conflicts.length,
      conflicts: firstOf(push.conflicts, told),
      skippedCount: push.skipped.length,
      skipped: firstOf(push.skipped, told)
    }
  }))

/** What is known of the guest's side, all by path in latin1. */
interface Look {
  readonly pushed: Pushed
  readonly live: ReadonlyMap<string, WalkEntry>
  /** Files and links of the baseline, with what was pushed. */
  readonly started: ReadonlyMap<string, Started>
  /** Where the live tree is not as the seed image. */
  readonly differing: ReadonlySet<string>
}

interface Started {
  readonly mode: number
  readonly size: number
  readonly mtimeNs: bigint
  readonly link: Buffer | undefined
}

const nameOf = (path: Uint8Array) => Buffer.from(path).toString("latin1")

const withinGit = (name: string) => name.split("/").includes(".git")

const gitMode = (entry: WalkEntry) =>
  entry.type === "symlink" ? 0o120000 : (entry.mode & 0o100) === 0 ? 0o100644 : 0o100755

const lookAt = (
  channel: GuestChannel,
  target: SyncTarget,
  pushed: Pushed
): Effect.Effect<Look, ChannelFailed | FileRefused> =>
  Effect.gen(function*() {
    const live = yield* walked(channel, target.live)
    const base = yield* walked(channel, target.baseline)
    const differences = channel.compare({ old: target.baseline, new: target.live, skip: ".git" }).pipe(
      Stream.map(({ path }) => nameOf(path)),
      Stream.take(2 * mostEntries)
    )
    const differing = new Set(yield* Stream.runCollect(differences).pipe(guestFailure("/workspace")))
    const started = new Map<string, Started>()
    for (const [name, entry] of base) {
      if (entry.type !== "file" && entry.type !== "symlink") continue
      const link = entry.type === "symlink" ? Buffer.from(entry.linkTarget) : undefined
      started.set(name, { mode: gitMode(entry), size: entry.size, mtimeNs: entry.mtimeNs, link })
    }
    for (const [name, entry] of pushed.entries) {
      if (entry._tag === "absent") started.delete(name)
      else {
        const link = entry.mode === 0o120000 ? pushed.contentOf(entry) : undefined
        started.set(name, { mode: entry.mode, size: entry.size, mtimeNs: BigInt(entry.mtimeNs), link })
      }
    }
    return { pushed, live, started, differing }
  })

const walked = (channel: GuestChannel, tree: GuestPath) =>
  channel.walk(tree).pipe(
    Stream.runFoldEffect(new Map<string, WalkEntry>(), (entries, entry) =>
      entries.size >= mostEntries
        ? new FileRefused({ path: "/workspace", reason: "too_large", detail: "it has too many files for a push" })
        : Effect.succeed(entries.set(nameOf(entry.path), entry))),
    guestFailure("/workspace")
  )

/** One push as it is put together. */
const newPush = (force: boolean, skipped: Array<{ readonly path: string; readonly reason: string }>) => ({
  force,
  skipped,
  changes: [] as Array<FileChange>,
  entries: new Map<string, PushedEntry>(),
  files: [] as Array<SyncPushed["files"][number]>,
  conflicts: [] as Array<{ readonly path: string; readonly reason: string }>,
  bytes: 0
})
type Push = ReturnType<typeof newPush>

const offer = (channel: GuestChannel, target: SyncTarget, look: Look, root: string, file: HostFile, push: Push) =>
  Effect.gen(function*() {
    const name = nameOf(file.path)
    const text = pathText(file.path)
    const before = look.started.get(name)
    const isLink = file.mode === 0o120000
    if (!isLink && before?.mode === file.mode && before.size === file.size && before.mtimeNs === file.mtimeNs) return
    const content = tooMuch(file, push) ?? readHost(root, file, mostFileBytes)
    if (typeof content === "string") return void push.skipped.push({ path: text, reason: content })
    if (isLink && before?.link !== undefined && before.link.equals(content)) return
    const blocked = blocking(look, name)
    if (blocked !== undefined) return void push.conflicts.push({ path: text, reason: blocked })
    const live = look.live.get(name)
    const equal = yield* hasContent(channel, target, live, file.mode, content)
    if (!equal && !push.force && (yield* isChanged(channel, target, look, name))) {
      return void push.conflicts.push({ path: text, reason: changedToo })
    }
    const sha256 = yield* keepContent(target.folder, content)
    push.entries.set(name, {
      _tag: "file",
      mode: file.mode,
      sha256,
      size: content.length,
      mtimeNs: String(file.mtimeNs)
    })
    if (equal) return
    const taken = take(live, file.path, push)
    push.changes.push(
      isLink
        ? { _tag: "link", path: file.path, target: content }
        : { _tag: "file", path: file.path, content, mode: file.permissions, taken }
    )
    push.bytes += content.length
    push.files.push({ path: text, change: live === undefined ? "added" : "modified" })
  })

/** Why a file is more than a push takes. */
const tooMuch = ({ size }: HostFile, { bytes }: Push): string | undefined =>
  size > mostFileBytes
    ? `it is larger than ${mostFileBytes / mib} MiB, the most that a push takes of one file; ` +
      "the workspace has it when it is created from the directory"
    : bytes + size > mostBytes
    ? `more than ${mostBytes / mib} MiB changed, the most of one push; the next push brings it`
    : undefined

const withdraw = (channel: GuestChannel, target: SyncTarget, look: Look, path: Buffer, push: Push) =>
  Effect.gen(function*() {
    const name = nameOf(path)
    const live = look.live.get(name)
    if (live !== undefined && !push.force && (yield* isChanged(channel, target, look, name))) {
      return void push.conflicts.push({ path: pathText(path), reason: changedToo })
    }
    if (live !== undefined && live.type !== "file" && live.type !== "symlink") {
      return void push.conflicts.push({ path: pathText(path), reason: `the workspace has a ${live.type} there` })
    }
    push.entries.set(name, { _tag: "absent" })
    if (live === undefined) return
    take(live, path, push)
    push.files.push({ path: pathText(path), change: "deleted" })
  })

const changedToo = "it was changed in the workspace too"

const take = (live: WalkEntry | undefined, path: Buffer, push: Push) =>
  live === undefined ? undefined : push.changes.push({ _tag: "take", path, seen: live }) - 1

/** What of the live tree is in the way of a file, and not to be put out of it. */
const blocking = (look: Look, name: string): string | undefined => {
  const at = look.live.get(name)
  if (at !== undefined && at.type !== "file" && at.type !== "symlink") return `the workspace has a ${at.type} there`
  for (let slash = name.indexOf("/"); slash >= 0; slash = name.indexOf("/", slash + 1)) {
    const parent = look.live.get(name.slice(0, slash))
    if (parent !== undefined && parent.type !== "directory") return "the workspace has no directory where it belongs"
  }
  return undefined
}

/** Whether the guest's file is another than the baseline's. */
const isChanged = (channel: GuestChannel, target: SyncTarget, look: Look, name: string) => {
  const entry = look.pushed.entries.get(name)
  const live = look.live.get(name)
  if (entry === undefined) return Effect.succeed(look.differing.has(name))
  if (entry._tag === "absent") return Effect.succeed(live !== undefined)
  return Effect.map(hasContent(channel, target, live, entry.mode, look.pushed.contentOf(entry)), (same) => !same)
}

const hasContent = (
  channel: GuestChannel,
  target: SyncTarget,
  live: WalkEntry | undefined,
  mode: number,
  content: Buffer
): Effect.Effect<boolean, ChannelFailed | FileRefused> => {
  if (live === undefined || (live.type !== "file" && live.type !== "symlink") || gitMode(live) !== mode) {
    return Effect.succeed(false)
  }
  if (live.type === "symlink") return Effect.succeed(content.equals(live.linkTarget))
  if (live.size !== content.length) return Effect.succeed(false)
  // A limit of 0 is none.
  return channel.readMany({ root: target.live.root, paths: [live.path], limit: Math.max(live.size, 1) }).pipe(
    Stream.runHead,
    guestFailure(pathText(live.path)),
    Effect.map((read) => read._tag === "Some" && read.value.errno === 0 && content.equals(read.value.content))
  )
}
