import { Effect, Ref } from "effect"
import { monotonicMs, nowMs } from "../../../system/waits/time.ts"
import { lastActivity } from "../../entry/activity.ts"
import type { Lifecycle } from "../../entry/context.ts"
import type { Entry } from "../../entry/entry.ts"
import { isBusy } from "../../residents/entry-residents.ts"
import { flatten } from "./flatten.ts"

/** How long nothing may have been run or written before a workspace counts as idle, in ms. */
const QUIET_MS = 5_000
/** When a merge that failed is tried again, in ms: most fail for want of memory or disk. */
const RETRY_MS = 10 * 60_000

const isIdle = (entry: Entry) =>
  Effect.gen(function*() {
    const { state } = yield* Ref.get(entry.state)
    if (state !== "running" && state !== "stopped") return false
    if (yield* isBusy(entry)) return false
    return (yield* nowMs) - lastActivity(entry.folder, yield* Ref.get(entry.record)).getTime() >= QUIET_MS
  })

/** Merges layers of idle workspaces with long chains, one workspace after the other. Callers repeat it. */
export const makeFlattener = (lifecycle: Lifecycle) => {
  const retryAtMs = new Map<string, number>()
  const one = (entry: Entry) =>
    Effect.gen(function*() {
      if ((retryAtMs.get(entry.id) ?? 0) > (yield* monotonicMs) || !(yield* isIdle(entry))) return
      if (yield* flatten(lifecycle, entry)) yield* Effect.logInfo(`${entry.id}: layers of its disk are merged`)
      retryAtMs.delete(entry.id)
    }).pipe(
      Effect.catch((failure) =>
        Effect.andThen(
          Effect.map(monotonicMs, (now) => retryAtMs.set(entry.id, now + RETRY_MS)),
          Effect.logDebug(`${entry.id}: layers of its disk stay as they are: ${failure.message}`)
        )
      )
    )
  return Effect.suspend(() => Effect.forEach([...lifecycle.registry.entries.values()], one, { discard: true }))
}
