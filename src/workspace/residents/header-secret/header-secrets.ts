import { Effect, Semaphore } from "effect"
import type { InvalidRequest, NoSpace, StateDirectoryUnusable } from "../../../contract/errors/errors.ts"
import { named } from "../../../contract/text/names.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import { Dialler, type DiallerService, type HostInterception } from "../../../lib/network/Dialler.ts"
import { trimmed } from "../../../lib/redaction/secrets.ts"
import { installAuthority, trustVariables } from "../program/guest-trust.ts"
import type { Variables } from "../program/variables.ts"
import {
  type Binding,
  readHeaderSecrets,
  type StoredHeaderSecrets,
  writeHeaderSecrets
} from "../secret/header-secret-file.ts"
import type { WorkspaceSecrets } from "../secret/workspace-secrets.ts"
import {
  bindingText,
  checkChange,
  formerOf,
  type HeaderSecretChange,
  isHeaderValue,
  isNamedBy,
  withItems,
  withoutBindings,
  withSnapshot
} from "./bindings.ts"

type StorageFailed = NoSpace | StateDirectoryUnusable

/** A host of a secret, as a connection names it. */
export type SecretHost = Pick<Binding, "host" | "port">

/** Secrets that the guest knows by placeholders, and hosts by their values. */
export interface HeaderSecrets {
  /** Variables of each command: placeholders, and where the workspace's authority is. The guest trusts the authority from then on. */
  readonly variables: (channel: GuestChannel) => Effect.Effect<Variables, StorageFailed>
  /** How connections to a host are intercepted; `undefined` for a host without secrets. */
  readonly interceptionOf: (
    name: string,
    port: number
  ) => Effect.Effect<Omit<HostInterception, "onDenied"> | undefined, StorageFailed>
  /** The placeholders that the guest knows, one for each secret. */
  readonly placeholders: () => HostInterception["foreign"]
  /** The bindings, as `--secret-http` takes them. */
  readonly texts: () => ReadonlyArray<string>
  /** Fails if the change cannot be made. Precedes the change of the secrets. */
  readonly check: (change: HeaderSecretChange) => Effect.Effect<void, InvalidRequest>
  /** Adds and removes hosts. Gives the hosts whose connections have an old value. */
  readonly change: (change: HeaderSecretChange) => Effect.Effect<ReadonlyArray<SecretHost>, StorageFailed>
  /** Takes the placeholders and the authority of a snapshot, which the guest continues from. No host is added. */
  readonly inherit: (folder: string) => Effect.Effect<void, StorageFailed>
  /** Forgets removed hosts: nothing of the guest that knew their placeholders is left. */
  readonly forgetFormer: Effect.Effect<void, StorageFailed>
  /** Hosts that get a secret. */
  readonly hosts: () => ReadonlyArray<string>
}

/** The first bindings of a workspace, as its folder stores them. */
export const writeFirstItems = (
  folder: string,
  items: ReadonlyArray<string> = []
): Effect.Effect<void, StorageFailed> =>
  items.length === 0 ? Effect.void : writeHeaderSecrets(folder, withItems({ bindings: [] }, items))

/** Gives the folder of a snapshot's copy the present hosts of a workspace's secrets, with the placeholders of the snapshot. */
export const presentHeaderSecrets = (workspace: string, copy: string): Effect.Effect<void, StorageFailed> =>
  Effect.flatMap(
    Effect.zip(readHeaderSecrets(workspace), readHeaderSecrets(copy)),
    ([present, theirs]) =>
      [present, theirs].every(({ bindings, former = [] }) => bindings.length + former.length === 0)
        ? Effect.void
        : writeHeaderSecrets(copy, withSnapshot(present, theirs))
  )

interface Options {
  readonly dialler: DiallerService
  readonly secrets: WorkspaceSecrets
  readonly initial: StoredHeaderSecrets
  /** Places without a secret whose TLS ends on this host, too. */
  readonly others: ReadonlyArray<SecretHost>
  readonly write: (stored: StoredHeaderSecrets) => Effect.Effect<void, StorageFailed>
}

const make = ({ dialler, initial, others, secrets, write }: Options): HeaderSecrets => {
  let stored = initial
  const trusting = new WeakMap<GuestChannel, string>()
  const alone = Semaphore.makeUnsafe(1).withPermits(1)
  const store = (next: StoredHeaderSecrets) =>
    Effect.map(write(next), () => {
      stored = next
    })
  const edit = (change: (before: StoredHeaderSecrets) => StoredHeaderSecrets) =>
    alone(Effect.suspend(() => store(change(stored))))
  const known = () => [...stored.bindings, ...formerOf(stored)]

  /** The authority, made at its first need and again for further hosts. */
  const authority = alone(Effect.gen(function*() {
    const hosts = [...new Set([...known(), ...others].map(({ host }) => host))].sort()
    const made = stored.authority
    if (made !== undefined && hosts.every((host) => made.hosts.includes(host))) return made
    const next = { hosts, ...yield* dialler.makeAuthority(hosts) }
    yield* store({ ...stored, authority: next })
    return next
  })).pipe(
    Effect.catchTag(
      "DialRefused",
      ({ detail }) => Effect.as(Effect.logWarning(`the workspace has no certificate authority: ${detail}`), undefined)
    )
  )

  const trust = (channel: GuestChannel) =>
    Effect.gen(function*() {
      const made = yield* authority
      if (made === undefined || trusting.get(channel) === made.certificate) return
      if (yield* installAuthority(channel, made.certificate)) trusting.set(channel, made.certificate)
    })

  /** The value for a header. A removed secret has none. */
  const headerValueOf = (name: string) => {
    const value = secrets.valueOf(name)
    return value !== undefined && isHeaderValue(trimmed(value)) ? trimmed(value) : undefined
  }

  const placeholders = () => [...new Map(known().map((one) => [one.name, one])).values()]
  secrets.placeholderOf = (name) => placeholders().find((one) => one.name === name)?.placeholder

  return {
    variables: (channel) =>
      Effect.suspend(() => {
        if (known().length + others.length === 0) return Effect.succeed<Variables>({})
        const own = stored.bindings.map(({ name, placeholder }) => [name, placeholder] as const)
        return Effect.as(trust(channel), named([...Object.entries(trustVariables), ...own]))
      }),
    interceptionOf: (name, port) =>
      Effect.gen(function*() {
        const isHere = (one: SecretHost) => one.host === name && one.port === port
        if (![...known(), ...others].some(isHere)) return undefined
        const made = yield* authority
        if (made === undefined) return undefined
        const here = stored.bindings.filter(isHere).flatMap(({ header, name, placeholder, pulls }) => {
          const value = headerValueOf(name)
          return value === undefined
            ? []
            : [{ name, placeholder, header, value, ...(pulls === undefined ? {} : { pulls }) }]
        })
        return {
          authority: { certificate: made.certificate, key: made.key },
          secrets: here,
          foreign: placeholders().filter((one) => !here.some(({ name }) => name === one.name))
            .map(({ name, placeholder }) => ({ name, placeholder }))
        }
      }),
    placeholders,
    hosts: () => stored.bindings.map(({ host }) => host),
    texts: () => stored.bindings.map(bindingText).sort(),
    check: (change) => Effect.suspend(() => checkChange(stored.bindings, (name) => secrets.valueOf(name), change)),
    change: ({ clearSecretHttp = [], clearSecrets = [], secretHttp = [], secrets: given = {} }) =>
      Effect.gen(function*() {
        const isGone = (one: Binding) =>
          isNamedBy(clearSecretHttp)(one) || (clearSecrets.includes(one.name) && !(one.name in given))
        const changed = stored.bindings.filter((one) => isGone(one) || one.name in given || isNamedBy(secretHttp)(one))
        if (changed.length + secretHttp.length === 0) return []
        yield* edit((before) => withItems(withoutBindings(before, isGone), secretHttp))
        return changed
      }),
    inherit: (folder) =>
      Effect.flatMap(readHeaderSecrets(folder), (theirs) =>
        theirs.bindings.length + formerOf(theirs).length === 0
          ? Effect.void
          : edit((before) => withSnapshot(before, theirs))),
    forgetFormer: Effect.suspend(() =>
      formerOf(stored).length === 0 ? Effect.void : edit((before) => ({ ...before, former: [] }))
    )
  }
}

/** The hosts of a workspace's secrets. */
export const openHeaderSecrets = (
  folder: string,
  secrets: WorkspaceSecrets,
  others: ReadonlyArray<SecretHost> = []
): Effect.Effect<HeaderSecrets, StorageFailed, Dialler> =>
  Effect.zipWith(
    Dialler,
    readHeaderSecrets(folder),
    (dialler, initial) =>
      make({ dialler, secrets, initial, others, write: (stored) => writeHeaderSecrets(folder, stored) })
  )

/** Hosts of secrets that no folder stores. */
export const unstoredHeaderSecrets = (
  items: ReadonlyArray<string>,
  secrets: WorkspaceSecrets
): Effect.Effect<HeaderSecrets, never, Dialler> =>
  Effect.map(
    Dialler,
    (dialler) =>
      make({ dialler, secrets, initial: withItems({ bindings: [] }, items), others: [], write: () => Effect.void })
  )
