import { Effect, Option } from "effect"
import type { AppliedFile, MoveBaseline } from "../../../lib/exporting/bounds.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import { keepContent } from "../../../lib/seeding/model/kept.ts"
import { type PushedEntry, readPushed, writePushed } from "../../../lib/seeding/model/pushed.ts"
import { toHostErrorOf } from "../../../system/files/failure.ts"
import { touch } from "../../entry/activity.ts"
import type { Entry } from "../../entry/entry.ts"

/** The part of a workspace that holds its baseline. */
interface Moved extends Pick<Entry, "generation" | "pushLock" | "pushedLock"> {
  readonly folder: Pick<Entry["folder"], "activity" | "directory">
}

/** A time that no file of the host has: the next push reads the file. */
const UNKNOWN_TIME = "-1"

/** Moves the baseline of a workspace, as a push of the changed files would, without a look into the guest. `channel` has read the changes. */
export const movingBaseline = (entry: Moved, channel: GuestChannel): Effect.Effect<MoveBaseline> =>
  Effect.map(entry.generation.now, (began) => {
    const folder = entry.folder.directory
    /** After a reset the disk has other files. Without a VM the caller holds the workspace. */
    const isCurrent = Effect.map(
      entry.generation.now,
      (now) => Option.isSome(now) ? now.value.channel === channel : Option.isNone(began)
    )
    const record = (entries: ReadonlyMap<string, PushedEntry>) =>
      Effect.gen(function*() {
        if (!(yield* isCurrent)) return false
        const pushed = yield* readPushed(folder)
        yield* writePushed(folder, { ...pushed, entries: new Map([...pushed.entries, ...entries]) })
        // A caller with an older diff has to compare again.
        yield* touch(entry.folder)
        return true
      }).pipe(entry.pushedLock.hold)
    return (files, commit) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function*() {
          const entries = yield* restore(keptEntries(folder, files))
          yield* restore(commit)
          // The host's files have changed already, so a failure here does not fail the export.
          return yield* Effect.orElseSucceed(record(entries), () => false)
        })
      ).pipe(entry.pushLock.hold)
  })

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
