import { Effect, Redacted } from "effect"
import { randomBytes } from "node:crypto"
import { InvalidRequest } from "../../../contract/errors/errors.ts"
import { type NextStep, option } from "../../../contract/errors/next-step.ts"
import type { Secrets } from "../../../contract/rows/secret-fields.ts"
import { type SecretTarget, secretTargetOf } from "../../../contract/rows/secret-target.ts"
import { THIS_HOST } from "../../../lib/network/model/name.ts"
import { trimmed } from "../../../lib/redaction/secrets.ts"
import type { Binding, StoredHeaderSecrets } from "../secret/header-secret-file.ts"

type Place = Pick<SecretTarget, "host" | "name" | "port">

const isSame = (one: Place, other: Place) =>
  one.name === other.name && one.host === other.host && one.port === other.port

const isAmong = (all: ReadonlyArray<Place>) => (one: Place) => all.some((other) => isSame(one, other))

/** Bindings that pyro removed, whose placeholders the guest may still send. */
export const formerOf = ({ former = [] }: StoredHeaderSecrets): ReadonlyArray<Binding> => former

/** A new placeholder. Its characters need no escape in URLs, headers, shells and configuration files. */
const makePlaceholder = (name: string): string => `pyro_secret_${name}_${randomBytes(16).toString("hex")}`

/** The placeholder that the guest knows for a secret. A secret has one placeholder for all its hosts. */
const placeholderIn = (known: ReadonlyArray<Binding>, name: string) =>
  known.find((one) => one.name === name)?.placeholder

/** Adds the hosts of some items. An item replaces the header of its host. */
export const withItems = (stored: StoredHeaderSecrets, items: ReadonlyArray<string>): StoredHeaderSecrets => {
  const targets = items.flatMap((item) => secretTargetOf(item) ?? [])
  const bindings = targets.reduce<ReadonlyArray<Binding>>((all, target) => {
    const placeholder = placeholderIn([...all, ...formerOf(stored)], target.name) ?? makePlaceholder(target.name)
    return [...all.filter((one) => !isSame(one, target)), { ...target, placeholder }]
  }, stored.bindings)
  return { ...stored, bindings, former: formerOf(stored).filter((one) => !isAmong(bindings)(one)) }
}

/** Turns some bindings into former ones. */
export const withoutBindings = (
  stored: StoredHeaderSecrets,
  isGone: (binding: Binding) => boolean
): StoredHeaderSecrets => ({
  ...stored,
  bindings: stored.bindings.filter((one) => !isGone(one)),
  former: [...formerOf(stored), ...stored.bindings.filter(isGone)]
})

/**
 * The present bindings for a guest that continues from a snapshot: it knows the snapshot's placeholders and authority, and no others. A host of the snapshot
 * that gets the secret no longer is a removed one.
 */
export const withSnapshot = (stored: StoredHeaderSecrets, theirs: StoredHeaderSecrets): StoredHeaderSecrets => {
  const known = [...theirs.bindings, ...formerOf(theirs)]
  const own = stored.bindings.map((one) => ({ ...one, placeholder: placeholderIn(known, one.name) ?? one.placeholder }))
  const former = known.filter((one) => !isAmong(own)(one))
  const authority = theirs.authority ?? stored.authority
  return { bindings: own, former, ...(authority === undefined ? {} : { authority }) }
}

/** The item that names a binding. */
export const isNamedBy = (items: ReadonlyArray<string>) => isAmong(items.flatMap((item) => secretTargetOf(item) ?? []))

const HTTPS = 443

/** A binding as `--secret-http` takes it. */
export const bindingText = (
  { header, host, name, port, pulls = [] }: Place & Pick<Partial<Binding>, "header" | "pulls">
): string =>
  `${name}@${host}${port === HTTPS ? "" : `:${port}`}${header === undefined ? "" : `:${header}`}${
    pulls.map((repository) => `+pull=${repository}`).join("")
  }`

/** Change of the hosts of a workspace's secrets, in a request that may change the secrets as well. */
export interface HeaderSecretChange {
  readonly secretHttp?: ReadonlyArray<string>
  readonly secretCommands?: ReadonlyArray<string>
  readonly clearSecretHttp?: ReadonlyArray<string>
  readonly secrets?: Secrets
  readonly clearSecrets?: ReadonlyArray<string>
}

const refuse = (field: string, detail: string, next: ReadonlyArray<NextStep> = []) =>
  new InvalidRequest({ field, detail, next })

/** For a name without a secret. */
const absentSecret = (field: string, name: string) =>
  refuse(field, `there is no secret ${name}`, [option(`Add the secret ${name}`, "secrets")])

/** Maximum bytes of a value. Servers accept few headers of this size. */
const MAX_VALUE_BYTES = 16_384

/** Whether a value fits into an HTTP header as it is: visible ASCII and inner spaces (RFC 9110, 5.5). */
export const isHeaderValue = (value: string): boolean =>
  value.length <= MAX_VALUE_BYTES && /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(value)

/** Fails unless every item names a secret whose value fits into a header. */
const checkItems = (items: ReadonlyArray<string>, valueOf: (name: string) => string | undefined) =>
  Effect.forEach(items, (item) => {
    const { host, name } = secretTargetOf(item)!
    if (host === THIS_HOST) {
      return refuse("secret_http", `${THIS_HOST} is this host: pyro intercepts no connection to its own services`)
    }
    const value = valueOf(name)
    if (value !== undefined && isHeaderValue(trimmed(value))) return Effect.void
    return value === undefined ? absentSecret("secret_http", name) : refuse(
      "secret_http",
      `the secret ${name} does not fit into an HTTP header: its value must be one line of ASCII, 16 KiB at most`
    )
  }, { discard: true })

/** The value of a secret in a request. */
const valueIn = (secrets: Secrets = {}) => (name: string): string | undefined => {
  const value = secrets[name]
  return value === undefined ? undefined : Redacted.value(value)
}

/** Fails unless a request gives each secret that its lists name, and each value for a host fits into a header. */
export const checkGiven = (
  { secretCommands = [], secretHttp = [], secrets = {} }: {
    readonly secrets?: Secrets | undefined
    readonly secretHttp?: ReadonlyArray<string> | undefined
    readonly secretCommands?: ReadonlyArray<string> | undefined
  }
) => {
  const absent = secretCommands.find((name) => !Object.hasOwn(secrets, name))
  return absent === undefined
    ? checkItems(secretHttp, valueIn(secrets))
    : absentSecret("secret_commands", absent)
}

type ValueOf = (name: string) => string | undefined

/** Fails unless a change of secrets and hosts leaves each binding a value that fits into a header. */
export const checkChange = (
  bindings: ReadonlyArray<Binding>,
  presentValueOf: ValueOf,
  { clearSecretHttp = [], clearSecrets = [], secretHttp = [], secrets = {} }: HeaderSecretChange
) => {
  const unknown = clearSecretHttp.find((item) => !bindings.some(isNamedBy([item])))
  if (unknown !== undefined) {
    const known = bindings.length === 0 ? "there are none" : `there are ${bindings.map(bindingText).join(", ")}`
    return refuse("clear_secret_http", `there is no ${unknown}; ${known}`)
  }
  const replaced = bindings.filter((one) => one.name in secrets && !isNamedBy(clearSecretHttp)(one))
  return checkItems(
    [...secretHttp, ...replaced.map(bindingText)],
    (name) => valueIn(secrets)(name) ?? (clearSecrets.includes(name) ? undefined : presentValueOf(name))
  )
}
