import { Effect } from "effect"
import type { UpdatePayload } from "../../contract/operations/workspace-lifecycle.ts"
import { alone, commit, type Lifecycle } from "./context.ts"
import { touch, type WorkspaceRecord } from "./record.ts"
import type { Entry } from "./registry.ts"

const changed = (record: WorkspaceRecord, payload: UpdatePayload): WorkspaceRecord => {
  const { ttlSeconds, ...rest } = record
  const ttl = payload.ttlSeconds ?? ttlSeconds
  const labels = Object.fromEntries(
    Object.entries({ ...record.labels, ...payload.labels }).filter(([key]) => !payload.clearLabels.includes(key))
  )
  return {
    ...rest,
    labels,
    ...(payload.name === undefined ? {} : { name: payload.name }),
    ...(ttl === undefined || ttl === 0 ? {} : { ttlSeconds: ttl })
  }
}

/** Changes name, labels and expiry; a new expiry counts from now. */
export const update = (lifecycle: Lifecycle, entry: Entry, payload: UpdatePayload) =>
  Effect.gen(function*() {
    yield* lifecycle.registry.checkName(payload.name, entry.id)
    yield* commit(entry, (record) => changed(record, payload))
    if (payload.ttlSeconds !== undefined) yield* touch(entry.folder)
  }).pipe(alone(lifecycle, entry))
