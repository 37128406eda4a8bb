import { Effect } from "effect"
import { InvalidRequest } from "../../contract/errors.ts"
import { named } from "../../contract/names.ts"
import type { UpdatePayload } from "../../contract/operations/workspace-lifecycle.ts"
import { aloneFor, commit, type Lifecycle } from "./context.ts"
import type { Entry } from "./entry.ts"
import { touch, type WorkspaceRecord } from "./record.ts"

const changed = (record: WorkspaceRecord, payload: UpdatePayload): WorkspaceRecord => {
  const { ttlSeconds, ...rest } = record
  const ttl = payload.ttlSeconds ?? ttlSeconds
  const labels = named(
    Object.entries({ ...record.labels, ...payload.labels }).filter(([key]) => !payload.clearLabels.includes(key))
  )
  return {
    ...rest,
    labels,
    ...(payload.name === undefined ? {} : { name: payload.name }),
    ...(ttl === undefined || ttl === 0 ? {} : { ttlSeconds: ttl })
  }
}

const isNothing = ({ clearLabels, labels, name, ttlSeconds }: UpdatePayload) =>
  name === undefined && ttlSeconds === undefined && clearLabels.length === 0 && Object.keys(labels).length === 0

/** Changes name, labels and expiry; a new expiry counts from now. */
export const update = (lifecycle: Lifecycle, entry: Entry, payload: UpdatePayload) =>
  Effect.gen(function*() {
    if (isNothing(payload)) {
      const detail = "is not given, and nothing else to change either: labels, labels to remove, or an expiry"
      return yield* new InvalidRequest({ field: "name", detail })
    }
    yield* lifecycle.registry.checkName(payload.name, entry.id)
    yield* commit(entry, (record) => changed(record, payload))
    if (payload.ttlSeconds !== undefined) yield* touch(entry.folder)
  }).pipe(aloneFor(lifecycle, entry, "workspace.update"))
