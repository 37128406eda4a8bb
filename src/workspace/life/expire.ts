import { Effect, Ref } from "effect"
import { nowMs } from "../../system/waits/time.ts"
import { lastActivity, touch } from "../entry/activity.ts"
import type { Lifecycle } from "../entry/context.ts"
import { recordEvent } from "../entry/events.ts"
import { isBusy } from "../residents/entry-residents.ts"
import { removeAlone } from "./remove.ts"

/** Deletes expired workspaces. A workspace in a lifecycle step is checked again the next time. */
export const expire = (lifecycle: Lifecycle) =>
  Effect.forEach([...lifecycle.registry.entries.values()], (entry) =>
    Effect.gen(function*() {
      const record = yield* Ref.get(entry.record)
      if (record.ttlSeconds === undefined || !lifecycle.registry.entries.has(entry.id)) return
      if (yield* isBusy(entry)) return yield* touch(entry.folder)
      const at = lastActivity(entry.folder, record).getTime() + record.ttlSeconds * 1000
      if ((yield* nowMs) < at) return
      yield* recordEvent(entry.folder.directory, { _tag: "expired", ttlSeconds: record.ttlSeconds })
      yield* removeAlone(lifecycle, entry)
      const called = record.name === undefined ? "" : ` (${record.name})`
      yield* Effect.logInfo(
        `${entry.id}${called} is deleted: it was not used for ${record.ttlSeconds} s, its time to live`
      )
    }).pipe(
      entry.lifecycleLock.withPermitsIfAvailable(1),
      Effect.catchCause((cause) => Effect.logWarning(`${entry.id} has expired and cannot be deleted`, cause))
    ), { discard: true })
