import { Effect, Option, Ref } from "effect"
import { InvalidRequest } from "../../contract/errors/errors.ts"
import type { UpdatePayload } from "../../contract/rows/workspace-update.ts"
import { named } from "../../contract/text/names.ts"
import { demandPlain } from "../../redaction/redact.ts"
import { secretSet } from "../../redaction/secrets.ts"
import { faultPoint } from "../../system/waits/fault.ts"
import { touch } from "../entry/activity.ts"
import { commit, type Lifecycle } from "../entry/context.ts"
import type { Entry } from "../entry/entry.ts"
import type { WorkspaceRecord } from "../entry/record.ts"
import { guardOf, residentsOf } from "../residents/entry-residents.ts"
import { demandStreams } from "../residents/network/tap.ts"
import type { OpenResidents } from "../residents/open.ts"
import { initialSecrets } from "../residents/secret/workspace-secrets.ts"
import { redactStoredServices } from "../residents/service/services.ts"
import { hostnameOf } from "./generation.ts"
import { demandGrowth, growDisk } from "./grow.ts"
import { renameGuest } from "./guest-name.ts"

const changed = (record: WorkspaceRecord, payload: UpdatePayload): WorkspaceRecord => {
  const { name: ownName, ttlSeconds, ...rest } = record
  const name = payload.clearName === true ? undefined : payload.name ?? ownName
  const ttl = payload.ttlSeconds ?? ttlSeconds
  const labels = named(
    Object.entries({ ...record.labels, ...payload.labels }).filter(([key]) => !payload.clearLabels.includes(key))
  )
  return {
    ...rest,
    labels,
    ...(name === undefined ? {} : { name }),
    ...(ttl === undefined || ttl === 0 ? {} : { ttlSeconds: ttl })
  }
}

const changesSecrets = ({ clearSecretHttp = [], clearSecrets = [], secretHttp = [], secrets = {} }: UpdatePayload) =>
  clearSecrets.length + Object.keys(secrets).length + secretHttp.length + clearSecretHttp.length > 0

const isNothing = (payload: UpdatePayload) =>
  payload.name === undefined && payload.clearName !== true && payload.ttlSeconds === undefined &&
  payload.diskMib === undefined &&
  !changesSecrets(payload) &&
  payload.clearLabels.length + Object.keys(payload.labels).length === 0

/** Changes secrets and their hosts. Connections with an old value are reset. */
const changeSecrets = ({ headerSecrets, network, secrets, services }: OpenResidents, payload: UpdatePayload) =>
  Effect.gen(function*() {
    yield* headerSecrets.check(payload)
    yield* redactStoredServices(services, secretSet(initialSecrets(payload.secrets).secrets))
    yield* secrets.change(payload)
    faultPoint("secrets:written")
    const hosts = yield* headerSecrets.change(payload)
    faultPoint("secrets:bound")
    network.resetHosts(hosts)
  })

/** A guest is called as its workspace is, in prompts too. Without a guest, the next one is. */
const renameIn = (entry: Entry, record: WorkspaceRecord) =>
  Effect.flatMap(
    Ref.get(entry.generation),
    Option.match({
      onNone: () => Effect.void,
      onSome: ({ guest }) => renameGuest(guest, hostnameOf(record))
    })
  )

/** Changes name, labels, expiry, secrets and the disk's size; a new expiry counts from now. Its caller has the workspace alone. */
export const update = (lifecycle: Lifecycle, entry: Entry, payload: UpdatePayload) =>
  Effect.gen(function*() {
    if (isNothing(payload)) {
      const detail =
        "is not given, and nothing else to change either: labels, labels to remove, an expiry, secrets, or a size"
      return yield* new InvalidRequest({ field: "name", detail })
    }
    if (payload.name !== undefined && payload.clearName === true) {
      return yield* new InvalidRequest({ field: "clear_name", detail: "cannot be combined with a new name" })
    }
    yield* demandPlain(yield* guardOf(entry, {}), { name: payload.name, labels: payload.labels })
    const { labels, name } = changed(yield* Ref.get(entry.record), payload)
    yield* demandPlain(secretSet(initialSecrets(payload.secrets).secrets), { name, labels })
    yield* lifecycle.registry.checkName(payload.name, entry.id)
    yield* demandStreams((yield* Ref.get(entry.record)).networkDriver, payload.secretHttp)
    const { diskMib } = payload
    if (diskMib !== undefined) {
      yield* demandGrowth(entry, diskMib)
      yield* growDisk(entry, diskMib)
    }
    if (changesSecrets(payload)) yield* changeSecrets(yield* residentsOf(entry, "workspace.update"), payload)
    const record = yield* commit(entry, (record) => changed(record, payload))
    if (payload.name !== undefined || payload.clearName === true) yield* renameIn(entry, record)
    if (payload.ttlSeconds !== undefined) yield* touch(entry.folder)
  })
