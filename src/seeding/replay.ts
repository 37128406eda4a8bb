import { Effect, Stream } from "effect"
import type { ChannelFailed, FileRefused, StateDirectoryUnusable } from "../contract/errors/errors.ts"
import type { FileChange, GuestPath, WalkEntry } from "../guest-channel/files.ts"
import type { GuestChannel } from "../guest-channel/GuestChannel.ts"
import { type Pushed, pushedContent } from "./pushed.ts"
import { guestFailure } from "./sync/guest-failure.ts"
import { isFileOrLink } from "./sync/look.ts"

/** Maximum bytes of contents in one step. */
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
          // Directories go when they are empty.
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
      const content = yield* pushedContent(pushed, name, entry)
      changes.push(
        entry.mode === 0o120000
          ? { _tag: "link", path, target: content }
          : { _tag: "file", path, content, mode: entry.mode & 0o777, taken }
      )
      bytes += content.length
      if (bytes > BATCH_BYTES) yield* send
    }
    yield* send
  })
