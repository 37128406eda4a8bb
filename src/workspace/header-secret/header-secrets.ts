import { Effect } from "effect"
import { InvalidRequest, type NoSpace, type StateDirectoryUnusable } from "../../contract/errors.ts"
import { named } from "../../contract/names.ts"
import { secretTargetOf } from "../../contract/operations/secret-http-fields.ts"
import type { GuestChannel } from "../../guest-channel/GuestChannel.ts"
import { Dialler, type DiallerService, type HostInterception } from "../../network/dial/Dialler.ts"
import type { ForeignSecret } from "../../network/intercept/interception.ts"
import { isHeaderValue, makePlaceholder } from "../../network/intercept/placeholders.ts"
import { trimmed } from "../secret/forms.ts"
import type { Variables, WorkspaceSecrets } from "../secret/workspace-secrets.ts"
import { installAuthority, trustVariables } from "./guest-trust.ts"
import { type Binding, readHeaderSecrets, type StoredHeaderSecrets, writeHeaderSecrets } from "./header-secret-file.ts"

type StorageFailed = NoSpace | StateDirectoryUnusable

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
  readonly placeholders: () => ReadonlyArray<ForeignSecret>
  /** Adds hosts to secrets of the workspace. */
  readonly add: (items: ReadonlyArray<string>) => Effect.Effect<void, InvalidRequest | StorageFailed>
}

export const noHeaderSecrets: HeaderSecrets = {
  variables: () => Effect.succeed({}),
  interceptionOf: () => Effect.succeed(undefined),
  placeholders: () => [],
  add: () => Effect.void
}

const isSame = (one: Binding, other: Pick<Binding, "host" | "name" | "port">) =>
  one.name === other.name && one.host === other.host && one.port === other.port

/** Bindings with those of the items; an item replaces its host's. A secret has one placeholder for all its hosts. */
const withItems = (bindings: ReadonlyArray<Binding>, items: ReadonlyArray<string>): ReadonlyArray<Binding> =>
  items.flatMap((item) => secretTargetOf(item) ?? []).reduce<ReadonlyArray<Binding>>((all, target) => {
    const placeholder = all.find(({ name }) => name === target.name)?.placeholder ?? makePlaceholder(target.name)
    return [...all.filter((one) => !isSame(one, target)), { ...target, placeholder }]
  }, bindings)

/** Fails unless every item names a secret whose value fits into a header. */
export const checkItems = (items: ReadonlyArray<string>, valueOf: (name: string) => string | undefined) =>
  Effect.forEach(items, (item) => {
    const { name } = secretTargetOf(item)!
    const value = valueOf(name)
    if (value !== undefined && isHeaderValue(trimmed(value))) return Effect.void
    const detail = value === undefined
      ? `there is no secret ${name}: add --secret-env ${name}`
      : `the secret ${name} does not fit into an HTTP header: its value must be one line of ASCII`
    return new InvalidRequest({ field: "secret_http", detail })
  }, { discard: true })

/** The first bindings of a workspace, as its folder stores them. */
export const writeFirstItems = (
  folder: string,
  items: ReadonlyArray<string> = []
): Effect.Effect<void, StorageFailed> =>
  items.length === 0 ? Effect.void : writeHeaderSecrets(folder, { bindings: withItems([], items) })

const make = (
  folder: string,
  dialler: DiallerService,
  secrets: WorkspaceSecrets,
  initial: StoredHeaderSecrets
): HeaderSecrets => {
  let stored = initial
  const trusting = new WeakMap<GuestChannel, string>()
  const alone = Effect.unsafeMakeSemaphore(1).withPermits(1)
  const store = (next: StoredHeaderSecrets) =>
    Effect.map(writeHeaderSecrets(folder, next), () => {
      stored = next
    })

  /** A removed secret has no value, and its placeholder stays what the guest sends. */
  const valueOf = (name: string) =>
    secrets.variables([name]).pipe(
      Effect.map((variables) => variables[name]),
      Effect.orElseSucceed(() => undefined)
    )

  /** The authority, made at its first need and again for further hosts. */
  const authority = alone(Effect.gen(function*() {
    const hosts = [...new Set(stored.bindings.map(({ host }) => host))].sort()
    const known = stored.authority
    if (known !== undefined && hosts.every((host) => known.hosts.includes(host))) return known
    const made = yield* dialler.makeAuthority(hosts)
    const next = { hosts, ...made }
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

  return {
    variables: (channel) =>
      Effect.suspend(() => {
        if (stored.bindings.length === 0) return Effect.succeed<Variables>({})
        const placeholders = stored.bindings.map(({ name, placeholder }) => [name, placeholder] as const)
        return Effect.as(trust(channel), named([...Object.entries(trustVariables), ...placeholders]))
      }),
    interceptionOf: (name, port) =>
      Effect.gen(function*() {
        const isHere = (one: Binding) => one.host === name && one.port === port
        const here = stored.bindings.filter(isHere)
        if (here.length === 0) return undefined
        const made = yield* authority
        if (made === undefined) return undefined
        const known = yield* Effect.forEach(
          here,
          (one) => Effect.map(valueOf(one.name), (value) => ({ ...one, value }))
        )
        return {
          authority: { certificate: made.certificate, key: made.key },
          secrets: known.flatMap(({ header, name, placeholder, value }) =>
            value === undefined ? [] : [{ name, placeholder, header, value: trimmed(value) }]
          ),
          foreign: stored.bindings.filter((one) => !here.some(({ name }) => name === one.name))
            .map(({ name, placeholder }) => ({ name, placeholder }))
        }
      }),
    placeholders: () => [...new Map(stored.bindings.map((one) => [one.name, one])).values()],
    add: (items) =>
      Effect.gen(function*() {
        const values = new Map<string, string>()
        for (const item of items) {
          const { name } = secretTargetOf(item)!
          const value = yield* valueOf(name)
          if (value !== undefined) values.set(name, value)
        }
        yield* checkItems(items, (name) => values.get(name))
        yield* alone(Effect.suspend(() => store({ ...stored, bindings: withItems(stored.bindings, items) })))
      })
  }
}

/** The hosts of a workspace's secrets. */
export const openHeaderSecrets = (
  folder: string,
  secrets: WorkspaceSecrets
): Effect.Effect<HeaderSecrets, StorageFailed, Dialler> =>
  Effect.zipWith(Dialler, readHeaderSecrets(folder), (dialler, stored) => make(folder, dialler, secrets, stored))
