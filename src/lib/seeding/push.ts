import { Effect, identity, Stream } from "effect"
import type {
  ChannelFailed,
  FileRefused,
  NoSpace,
  StateDirectoryUnusable,
  WorkspaceNotReady
} from "../../contract/errors/errors.ts"
import type { SyncPushPayload } from "../../contract/rows/workspace-sync.ts"
import { firstOf } from "../../contract/text/first-of.ts"
import { GIT_LINK } from "../../contract/text/git-mode.ts"
import { lossNotes, MAX_IGNORED_NAMES, MAX_MISSING_NAMES } from "../../contract/text/host-file-notes.ts"
import type { GuestChannel } from "../guest-channel/GuestChannel.ts"
import type { FileChange, GuestPath, WalkEntry } from "../guest-channel/model/files.ts"
import {
  type Pushed,
  pushedContent,
  pushedKept,
  readPushed,
  sweepPushed,
  withinGit,
  writePushed
} from "./model/pushed.ts"
import { demandNarrow } from "./model/source.ts"
import { demandDirectory, demandSamePlace, demandSomethingSame, destination } from "./sync/demands.ts"
import { guestFailure, isFileOrLink, readGuest, type SyncTrees } from "./sync/guest-state.ts"
import { isGone, listHost, lossesOf, placedText } from "./sync/host-tree.ts"
import { fromKept, isLeftover, newPush, planFile, planRemoval, textOf } from "./sync/plan.ts"
import { demandRoom } from "./sync/room.ts"

/** Target of a push. */
interface SyncTarget extends SyncTrees {
  /** The workspace's folder, with the record of pushed files. */
  readonly folder: string
  /** Source of the workspace's seed. */
  readonly seedPath?: string | undefined
  /** Runs the recording of pushed files, or fails if the guest no longer belongs to the workspace. @default always runs it */
  readonly whileCurrent?: (
    record: Effect.Effect<void, NoSpace | StateDirectoryUnusable>
  ) => Effect.Effect<void, NoSpace | StateDirectoryUnusable | WorkspaceNotReady>
}

/** Limits of each list in the report. */
const reported = { most: 1000, maxBytes: 4 * 1024 * 1024 }

/**
 * Copies the host's changes since the baseline into the guest, all or none, and adds them to the baseline. A file that the guest
 * also changed stays and is reported, unless the push is forced.
 */
export const syncPush = (
  channel: GuestChannel,
  payload: Omit<SyncPushPayload, "workspace">,
  target: SyncTarget
) =>
  Effect.scoped(Effect.gen(function*() {
    yield* demandNarrow("source_path", payload.sourcePath, payload.allowHome)
    const dest = yield* destination(payload.dest)
    const host = yield* listHost(payload.sourcePath, payload.includeIgnored, dest)
    if (dest === "") yield* demandSamePlace(host, target.seedPath)
    const pushed = yield* readPushed(target.folder)
    const guest = yield* readGuest(channel, target, pushed)
    yield* demandDirectory(dest, guest)
    yield* demandSomethingSame(host, guest, payload)
    yield* demandRoom(host, guest, target.folder)
    const push = newPush({ guest, host, folder: target.folder, force: payload.force })
    if (payload.delete) {
      // Removals come first: a directory may have become a file.
      for (const name of guest.initial.keys()) {
        const isGoneThere = !host.files.has(name) && !withinGit(name) && isGone(host, name)
        if (isGoneThere) yield* planRemoval(push, name)
      }
    }
    for (const [name, file] of host.files) yield* planFile(push, name, file)
    // A push to a directory of the workspace says nothing about the rest.
    const rules = dest === "" ? host.rules : pushed.rules
    const record = push.entries.size === 0 && JSON.stringify(rules) === JSON.stringify(pushed.rules)
      // Contents of files that stay as they are in the workspace.
      ? sweepPushed(target.folder, pushed.entries)
      : (target.whileCurrent ?? identity)(
        writePushed(target.folder, { entries: new Map([...pushed.entries, ...push.entries]), rules })
      )
    // An interruption cannot skip the record of the guest's files. After a crash here, the next push finds equal files.
    yield* Effect.uninterruptibleMask((restore) =>
      Effect.andThen(
        push.changes.length === 0
          ? Effect.void
          : restore(channel.changeFiles(target.live.root, push.changes).pipe(guestFailure("/workspace"))),
        record
      )
    )
    const losses = yield* lossesOf(host.root, push.written)
    const removedCount = push.files.filter(({ change }) => change === "deleted").length
    const gone = [...guest.initial.keys()].filter((name) => isLeftover(push, name))
    return {
      filesPushed: push.files.length,
      writtenCount: push.files.length - removedCount,
      removedCount,
      equalCount: push.equalCount,
      bytes: push.bytes,
      files: firstOf(push.files, reported),
      conflictCount: push.conflicts.length,
      conflicts: firstOf(push.conflicts, reported),
      skippedCount: push.skipped.length,
      skipped: firstOf(push.skipped, reported),
      missingOnHostCount: gone.length,
      missingOnHost: gone.slice(0, MAX_MISSING_NAMES).map(textOf),
      ignoredCount: host.left.length,
      ignored: host.left.slice(0, MAX_IGNORED_NAMES),
      warnings: [
        ...overwrittenNotes(push.overwritten),
        ...host.notes,
        ...lossNotes(losses, (path) => placedText(dest, path))
      ].map((message) => ({ message }))
    }
  }))

/** Bytes of contents in one step, after which the next one begins. */
const BATCH_BYTES = 64 * 1024 * 1024

/**
 * Writes all pushed files to a guest that equals its seed image, so that its tree equals the baseline. Runs before any other
 * program there. After a failure the guest may have some of the files, and must not be used.
 */
export const replayPushed = (
  channel: GuestChannel,
  pushed: Pushed,
  live: GuestPath
): Effect.Effect<void, ChannelFailed | FileRefused | StateDirectoryUnusable> =>
  Effect.gen(function*() {
    if (pushed.entries.size === 0) return
    const there = new Map<string, WalkEntry>()
    yield* channel.walk(live).pipe(
      Stream.runForEach((entry) =>
        Effect.sync(() => {
          const name = Buffer.from(entry.path).toString("latin1")
          // The guest removes empty directories itself.
          if (pushed.entries.has(name) && isFileOrLink(entry)) there.set(name, entry)
        })
      ),
      guestFailure("/workspace")
    )
    let changes: Array<FileChange> = []
    let bytes = 0
    const send = Effect.suspend(() => {
      const batch = changes
      changes = []
      bytes = 0
      return batch.length === 0 ? Effect.void : channel.changeFiles(live.root, batch).pipe(guestFailure("/workspace"))
    })
    // Removals precede additions: a file may have become a directory.
    const absentFirst = [...pushed.entries].sort(([, one], [, other]) => one._tag.localeCompare(other._tag))
    for (const [name, entry] of absentFirst) {
      const path = Buffer.from(name, "latin1")
      const seen = there.get(name)
      const taken = seen === undefined ? undefined : changes.push({ _tag: "take", path, seen }) - 1
      if (entry._tag === "absent") continue
      const kept = yield* pushedKept(pushed, name, entry)
      changes.push(
        entry.mode === GIT_LINK
          ? { _tag: "link", path, target: yield* pushedContent(pushed, name, entry) }
          : { _tag: "file", path, content: fromKept(kept), mode: entry.mode & 0o777, taken }
      )
      bytes += kept.size
      if (bytes > BATCH_BYTES) yield* send
    }
    yield* send
  })

/** Maximum files that a warning names. */
const NAMED = 5

/** The changes of the workspace that `force` has dropped. */
const overwrittenNotes = (paths: ReadonlyArray<string>) => {
  if (paths.length === 0) return []
  const more = paths.length > NAMED ? ` and ${paths.length - NAMED} more` : ""
  return [
    `the workspace's own changes of ${
      paths.slice(0, NAMED).join(", ")
    }${more} were overwritten; a rewind brings them back`
  ]
}
