import { Effect, Option } from "effect"
import type { AppliedFile, MoveBaseline } from "../../../lib/exporting/bounds.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import { keepContent } from "../../../lib/seeding/model/kept.ts"
import { type Pushed, type PushedEntry, readPushed, writePushed } from "../../../lib/seeding/model/pushed.ts"
import { toHostErrorOf } from "../../../system/files/failure.ts"
import { touch } from "../../entry/activity.ts"
import type { Entry } from "../../entry/entry.ts"

/** The part of a workspace that holds its baseline. */
export interface Moved extends Pick<Entry, "generation" | "pushLock" | "pushedLock"> {
  readonly folder: Pick<Entry["folder"], "activity" | "directory">
}

/** A time that no file of the host has: the next push reads the file. */
const UNKNOWN_TIME = "-1"

/** Records entries in the baseline of the present disk, which `channel` has read. False: the disk is another one now, or `fits` says no. */
const recording = (entry: Moved, channel: GuestChannel) =>
  Effect.map(entry.generation.now, (began) => {
    const folder = entry.folder.directory
    /** After a reset the disk has other files. Without a VM the caller holds the workspace. */
    const isCurrent = Effect.map(
      entry.generation.now,
      (now) => Option.isSome(now) ? now.value.channel === channel : Option.isNone(began)
    )
    return (entries: ReadonlyMap<string, PushedEntry>, fits: (pushed: Pushed) => boolean = () => true) =>
      Effect.gen(function*() {
        if (!(yield* isCurrent)) return false
        const pushed = yield* readPushed(folder)
        if (!fits(pushed)) return false
        yield* writePushed(folder, { ...pushed, entries: new Map([...pushed.entries, ...entries]) })
        // A caller with an older diff has to compare again.
        yield* touch(entry.folder)
        return true
      }).pipe(entry.pushedLock.hold)
  })

/** Moves the baseline of a workspace, as a push of the changed files would, without a look into the guest. `channel` has read the changes. */
export const movingBaseline = (entry: Moved, channel: GuestChannel): Effect.Effect<MoveBaseline> =>
  Effect.map(
    recording(entry, channel),
    (record) => (files, commit) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function*() {
          const entries = yield* restore(keptEntries(entry.folder.directory, files))
          yield* restore(commit)
          // The host's files have changed already, so a failure here does not fail the export.
          return yield* Effect.orElseSucceed(record(entries), () => false)
        })
      ).pipe(entry.pushLock.hold)
  )

/**
 * The same for changes that a client on another computer makes: a move that is made later, or never. No lock is held until then, so the move is not made
 * if a push has brought another content of one of the files. `pushed` is the baseline of the changes.
 */
export const laterMove = (entry: Moved, channel: GuestChannel) =>
  Effect.map(
    recording(entry, channel),
    (record) => (files: ReadonlyArray<AppliedFile>, pushed: Pushed) =>
      Effect.map(keptEntries(entry.folder.directory, files), (entries) => {
        const isAsRead = (now: Pushed) =>
          files.every(({ path }) => JSON.stringify(now.entries.get(path)) === JSON.stringify(pushed.entries.get(path)))
        return Effect.uninterruptible(Effect.orElseSucceed(record(entries, isAsRead), () => false)).pipe(
          entry.pushLock.hold
        )
      })
  )

/** Stores the contents in the workspace's folder, before a file of the host changes. */
const keptEntries = (folder: string, files: ReadonlyArray<AppliedFile>) =>
  Effect.gen(function*() {
    const entries = new Map<string, PushedEntry>()
    for (const { after, path } of files) {
      if (after === undefined) {
        entries.set(path, { _tag: "absent", applied: true })
        continue
      }
      const { sha256, size } = yield* keepContent(folder, after.content)
      entries.set(path, { _tag: "file", mode: after.mode, sha256, size, mtimeNs: UNKNOWN_TIME, applied: true })
    }
    return entries
  }).pipe(Effect.mapError(toHostErrorOf(folder)))
