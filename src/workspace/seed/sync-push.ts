import { Effect, identity } from "effect"
import type { NoSpace, PyroError, StateDirectoryUnusable } from "../../contract/errors.ts"
import { firstOf } from "../../contract/first-of.ts"
import { MAX_IGNORED_NAMES, MAX_MISSING_NAMES } from "../../contract/host-file-notes.ts"
import type { SyncPushed, SyncPushPayload } from "../../contract/operations/workspace-sync.ts"
import type { GuestChannel } from "../../guest-channel/GuestChannel.ts"
import { demandNarrow } from "./broad-source.ts"
import { guestFailure } from "./guest-failure.ts"
import { isGone, listHost } from "./host-tree.ts"
import { readPushed, writePushed } from "./pushed.ts"
import type { PrepareServices } from "./request.ts"
import { lookAt, type SyncTrees } from "./sync-look.ts"
import { newPush, offer, staysBehind, textOf, withdraw } from "./sync-plan.ts"
import { demandSamePlace, demandSomethingSame } from "./sync-source.ts"
import { withinGit } from "./tree-names.ts"

/** Where a push goes. */
export interface SyncTarget extends SyncTrees {
  /** The workspace's folder, which remembers what was pushed. */
  readonly folder: string
  /** What the workspace was seeded from. */
  readonly seedPath?: string | undefined
  /** Runs the recording of what was pushed, or fails where the guest is not the workspace's any more. @default always runs it */
  readonly whileCurrent?: (
    record: Effect.Effect<void, NoSpace | StateDirectoryUnusable>
  ) => Effect.Effect<void, PyroError>
}

/** Of each list in the report. */
const told = { most: 1000, maxBytes: 4 * 1024 * 1024 }

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
    yield* demandNarrow("source_path", payload.sourcePath, payload.allowHome)
    const host = yield* listHost(payload.sourcePath, payload.includeIgnored)
    yield* demandSamePlace(host, target.seedPath)
    const pushed = yield* readPushed(target.folder)
    const look = yield* lookAt(channel, target, pushed)
    yield* demandSomethingSame(host, look, payload)
    const push = newPush({ channel, look, host, folder: target.folder, force: payload.force })
    if (payload.delete) {
      // First: what goes makes room for what comes, where a directory has become a file.
      for (const name of look.started.keys()) {
        const isGoneThere = !host.files.has(name) && !withinGit(name) && isGone(host, Buffer.from(name, "latin1"))
        if (isGoneThere) yield* withdraw(push, name)
      }
    }
    for (const file of host.files.values()) yield* offer(push, file)
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
    const removedCount = push.files.filter(({ change }) => change === "deleted").length
    const gone = [...look.started.keys()].filter((name) => staysBehind(push, name))
    return {
      filesPushed: push.files.length,
      writtenCount: push.files.length - removedCount,
      removedCount,
      equalCount: push.equalCount,
      bytes: push.bytes,
      files: firstOf(push.files, told),
      conflictCount: push.conflicts.length,
      conflicts: firstOf(push.conflicts, told),
      skippedCount: push.skipped.length,
      skipped: firstOf(push.skipped, told),
      goneCount: gone.length,
      gone: gone.slice(0, MAX_MISSING_NAMES).map(textOf),
      ignoredCount: host.left.length,
      ignored: host.left.slice(0, MAX_IGNORED_NAMES)
    }
  }))
