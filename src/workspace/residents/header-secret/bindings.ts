import { randomBytes } from "node:crypto"
import { type SecretTarget, secretTargetOf } from "../../../contract/rows/secret-target.ts"
import type { Binding, StoredHeaderSecrets } from "./header-secret-file.ts"

type Place = Pick<SecretTarget, "host" | "name" | "port">

const isSame = (one: Place, other: Place) =>
  one.name === other.name && one.host === other.host && one.port === other.port

const isAmong = (all: ReadonlyArray<Place>) => (one: Place) => all.some((other) => isSame(one, other))

/** Bindings that pyro removed, and whose placeholders the guest may still know. */
export const formerOf = ({ former = [] }: StoredHeaderSecrets): ReadonlyArray<Binding> => former

/** A new placeholder. Its characters stand for themselves in URLs, headers, shells and configuration files. */
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
 * Adds the bindings of a snapshot that the guest continues from. A present binding keeps its header. The guest knows the snapshot's placeholders and
 * authority, and no others.
 */
export const withSnapshot = (stored: StoredHeaderSecrets, theirs: StoredHeaderSecrets): StoredHeaderSecrets => {
  const known = [...theirs.bindings, ...formerOf(theirs)]
  const own = stored.bindings.map((one) => ({ ...one, placeholder: placeholderIn(known, one.name) ?? one.placeholder }))
  const bindings = [...own, ...theirs.bindings.filter((one) => !isAmong(own)(one))]
  const former = formerOf(theirs).filter((one) => !isAmong(bindings)(one))
  const authority = theirs.authority ?? stored.authority
  return { bindings, former, ...(authority === undefined ? {} : { authority }) }
}

/** The item that names a binding. */
export const isNamedBy = (items: ReadonlyArray<string>) => isAmong(items.flatMap((item) => secretTargetOf(item) ?? []))

const HTTPS = 443

/** A binding as `--secret-http` takes it. */
export const bindingText = ({ header, host, name, port }: Place & { readonly header?: string | undefined }): string =>
  `${name}@${host}${port === HTTPS ? "" : `:${port}`}${header === undefined ? "" : `:${header}`}`
