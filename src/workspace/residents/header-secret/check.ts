import { Effect, Redacted } from "effect"
import { InvalidRequest } from "../../../contract/errors/errors.ts"
import type { Secrets } from "../../../contract/rows/secret-fields.ts"
import { secretTargetOf } from "../../../contract/rows/secret-target.ts"
import { THIS_HOST } from "../../../network/this-host.ts"
import { trimmed } from "../../../redaction/secrets.ts"
import { bindingText, isNamedBy } from "./bindings.ts"
import type { Binding } from "./header-secret-file.ts"

/** Change of the hosts of a workspace's secrets, in a request that may change the secrets as well. */
export interface HeaderSecretChange {
  readonly secretHttp?: ReadonlyArray<string>
  readonly clearSecretHttp?: ReadonlyArray<string>
  readonly secrets?: Secrets
  readonly clearSecrets?: ReadonlyArray<string>
}

const refuse = (field: string, detail: string) => new InvalidRequest({ field, detail })

/** Maximum bytes of a value. Servers accept few headers of this size. */
const MAX_VALUE_BYTES = 16_384

/** Whether a value fits into an HTTP header as it is: visible ASCII and inner spaces (RFC 9110, 5.5). */
export const isHeaderValue = (value: string): boolean =>
  value.length <= MAX_VALUE_BYTES && /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(value)

/** Fails unless every item names a secret whose value fits into a header. */
export const checkItems = (items: ReadonlyArray<string>, valueOf: (name: string) => string | undefined) =>
  Effect.forEach(items, (item) => {
    const { host, name } = secretTargetOf(item)!
    if (host === THIS_HOST) {
      return refuse("secret_http", `${THIS_HOST} is this host: pyro intercepts no connection to its own services`)
    }
    const value = valueOf(name)
    if (value !== undefined && isHeaderValue(trimmed(value))) return Effect.void
    const detail = value === undefined
      ? `there is no secret ${name}: add --secret-env ${name}`
      : `the secret ${name} does not fit into an HTTP header: its value must be one line of ASCII, 16 KiB at most`
    return refuse("secret_http", detail)
  }, { discard: true })

/** The value of a secret in a request. */
export const valueIn = (secrets: Secrets = {}) => (name: string): string | undefined => {
  const value = secrets[name]
  return value === undefined ? undefined : Redacted.value(value)
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
