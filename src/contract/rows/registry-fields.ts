import { Redacted, Schema, SchemaGetter } from "effect"
import { described, list, optional, text } from "../text/fields.ts"
import { byName, named } from "../text/names.ts"
import { lazy } from "./operation.ts"
import type { Secrets } from "./secret-fields.ts"

const HOST = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/

/** Parts of Basic credentials that pyro puts into a header. */
const USER = /^[\x21-\x39\x3b-\x7e]{1,256}$/
const PASSWORD = /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/
const MIN_PASSWORD = 8
const MAX_PASSWORD = 16_384

/** The parts of USER:PASSWORD. */
export const loginOf = (value: string) => {
  const colon = value.indexOf(":")
  return { user: value.slice(0, colon), password: value.slice(colon + 1) }
}

/** Why pyro cannot use a login. No reason quotes the password. */
export const loginRefusal = (value: string): string | undefined => {
  const { password, user } = loginOf(value)
  if (!value.includes(":") || !USER.test(user)) return "must be USER:PASSWORD"
  if (password.length < MIN_PASSWORD) {
    return `needs a password of at least ${MIN_PASSWORD} characters: pyro removes it from all output, and output has shorter ones by chance`
  }
  return password.length > MAX_PASSWORD || !PASSWORD.test(password)
    ? `needs a password of one line of ASCII, ${MAX_PASSWORD} characters at most`
    : undefined
}

const refusal = ([host, value]: readonly [string, unknown]): string | undefined => {
  if (!HOST.test(host)) return `${JSON.stringify(host)} is no registry; name it as in the reference: HOST or HOST:PORT`
  const reason = typeof value === "string" ? loginRefusal(value) : "must be USER:PASSWORD"
  return reason === undefined ? undefined : `the login of ${host} ${reason}`
}

const Values = lazy(() => Schema.toType(byName(Schema.Redacted(Schema.String))))

const logins = lazy(() =>
  byName(Schema.Unknown as unknown as Schema.Codec<string>).pipe(
    Schema.check(
      Schema.makeFilter((given) => Object.entries(given).map(refusal).find((reason) => reason !== undefined) ?? true)
    ),
    described(
      "Logins of registries by host, as USER:PASSWORD. They stay outside of the microVM, and serve pulls of the images asked for alone. Default: none"
    ),
    Schema.decodeTo(Values(), {
      decode: SchemaGetter.transform((given: Readonly<Record<string, string>>) =>
        named(Object.entries(given).map(([host, value]) => [host, Redacted.make(value)] as const))
      ),
      encode: SchemaGetter.transform((all: Secrets) =>
        named(Object.entries(all).map(([host, value]) => [host, Redacted.value(value)] as const))
      )
    })
  )
)

/** Logins of registries, and the hosts that give their tokens. */
export const registryFields = () => ({
  registryAuth: optional(logins()),
  tokenHosts: optional(
    list(text("Name of a host")).annotate({
      description:
        "Host that gives tokens for the registry, and so gets its login: NAME[:PORT]. Default: the registry, and what pyro knows of it"
    })
  )
})

/** Flags of the command line that fill `registry_auth`. */
export const registryFlags = {
  "registry-auth-file": {
    _tag: "secret",
    from: "file",
    fills: "registry_auth",
    description: "HOST=PATH: the login of a registry, whose USER:PASSWORD is the content of a host file"
  },
  "registry-auth-env": {
    _tag: "secret",
    from: "environment",
    fills: "registry_auth",
    description:
      "HOST=NAME: the login of a registry, whose USER:PASSWORD is the variable NAME of pyro's own environment"
  }
} as const
