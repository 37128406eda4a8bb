import { Redacted, Schema, SchemaGetter } from "effect"
import { boolean, described, list, matching, must, optional, text } from "../text/fields.ts"
import { byName, named } from "../text/names.ts"
import { lazy } from "./operation.ts"
import { secretPresets, secretTargetOf } from "./secret-target.ts"

/** Minimum bytes of a secret: a shorter value occurs in ordinary output by chance. */
const MIN_SECRET_BYTES = 8
export const MAX_SECRET_BYTES = 1_048_576
export const MAX_SECRETS = 64
/** Maximum bytes of all secrets of a workspace together. */
const MAX_ALL_SECRETS_BYTES = 4_194_304

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/

export const SecretName = lazy(() =>
  Schema.String.pipe(
    matching(NAME, "must be 1 to 64 letters, digits and '_', and must not begin with a digit"),
    described("Name of a secret")
  )
)

/** Newlines at the end do not count: programs drop them. */
const sizeOf = (value: string) => new TextEncoder().encode(value.replace(/[\r\n]+$/, "")).length

interface Naming {
  readonly pattern: RegExp
  readonly rule: string
}

const VARIABLES: Naming = {
  pattern: NAME,
  rule: "a name must be 1 to 64 letters, digits and '_', and must not begin with a digit"
}

/** Ids of a Dockerfile's secrets, which are names of files. */
const IDS: Naming = {
  pattern: /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/,
  rule: "an id must be 1 to 64 letters, digits, '_', '.' and '-', and must not begin with '.' or '-'"
}

/** Reason why a secret is refused. No reason quotes the value. */
const refusal = (name: string, value: unknown, { pattern, rule }: Naming): string | undefined => {
  if (!pattern.test(name)) return rule
  if (typeof value !== "string" || value.includes("\0")) return `${name} must be text without a NUL byte`
  const size = sizeOf(value)
  if (size < MIN_SECRET_BYTES) {
    return `${name} must have at least ${MIN_SECRET_BYTES} bytes: pyro removes the value from all output, and output has shorter values by ` +
      "chance"
  }
  return size > MAX_SECRET_BYTES ? `${name} must have at most ${MAX_SECRET_BYTES} bytes` : undefined
}

const refusalOfAll = (secrets: Readonly<Record<string, string>>, naming: Naming): string | undefined => {
  const all = Object.entries(secrets)
  const refused = all.map(([name, value]) => refusal(name, value, naming)).find((reason) => reason !== undefined)
  if (refused !== undefined) return refused
  if (all.length > MAX_SECRETS) return `must be at most ${MAX_SECRETS} secrets`
  const bytes = all.reduce((sum, [, value]) => sum + sizeOf(value), 0)
  return bytes > MAX_ALL_SECRETS_BYTES ? `must have at most ${MAX_ALL_SECRETS_BYTES} bytes together` : undefined
}

export type Secrets = Readonly<Record<string, Redacted.Redacted>>

const Values = lazy(() => Schema.toType(byName(Schema.Redacted(Schema.String))))

/** Secrets with their values: text in JSON, wrapped in a program. */
const secretsSchema = (description: string, naming = VARIABLES) =>
  byName(Schema.Unknown as unknown as Schema.Codec<string>).pipe(
    Schema.check(Schema.makeFilter((given) => refusalOfAll(given, naming) ?? true)),
    described(description),
    Schema.decodeTo(Values(), {
      decode: SchemaGetter.transform((given: Readonly<Record<string, string>>) =>
        named(Object.entries(given).map(([name, value]) => [name, Redacted.make(value)] as const))
      ),
      encode: SchemaGetter.transform((all: Secrets) =>
        named(Object.entries(all).map(([name, value]) => [name, Redacted.value(value)] as const))
      )
    })
  )

/** Secrets with their values. */
export const secretsField = (description: string) => ({ secrets: optional(secretsSchema(description)) })

/** Secrets of a Dockerfile, by their ids. */
export const buildSecretsField = (description: string) => ({ secrets: optional(secretsSchema(description, IDS)) })

/** Secrets to remove from a workspace. */
export const clearSecretsField = () => ({
  clearSecrets: optional(list(SecretName()).annotate({ description: "Names of secrets to remove. Default: none" }))
})

const mapping = (part: RegExp, message: string) =>
  text("").pipe(
    must((item) => {
      const [name = "", ...rest] = item.split("=")
      return NAME.test(name) && (rest.length === 0 || part.test(rest.join("=")))
    }, message)
  )

/** A full path without a name such as `..`. */
const GUEST_PATH = /^\/(?!.*(^|\/)\.{0,2}(\/|$)).{1,4000}$/s

/** Secrets that one command gets. */
export const secretMappings = () => ({
  secretEnv: optional(
    list(mapping(NAME, "must be NAME or NAME=VARIABLE")).annotate({
      description:
        "Secrets to pass as environment variables: NAME, or NAME=VARIABLE for another variable. Default: none"
    })
  ),
  secretMount: optional(
    list(mapping(GUEST_PATH, "must be NAME, or NAME=PATH with a full path of the guest")).annotate({
      description:
        "Secrets to pass as files on a tmpfs of the guest: NAME for /run/secrets/NAME, or NAME=PATH. The command's user alone can read " +
        "a file, and pyro removes the file after the command. Default: none"
    })
  )
})

/** Permission for content that has a secret. */
export const allowSecretsField = () => ({
  allowSecrets: optional(boolean("Allow content that has the value of a secret. Default: pyro refuses the content"))
})

/** A mapping in its parts. */
export const mappingOf = (item: string): { readonly name: string; readonly to: string | undefined } => {
  const at = item.indexOf("=")
  return at === -1 ? { name: item, to: undefined } : { name: item.slice(0, at), to: item.slice(at + 1) }
}

/** Names of a workspace's secrets, in a result. */
export const secretNames = () =>
  optional(
    Schema.Array(Schema.String).annotate({
      description: "Names of its secrets, without values. Absent if the record cannot be read"
    })
  )

/** Flags of the command line that fill `secrets`. */
export const secretFlags = {
  "secret-file": {
    _tag: "secret",
    from: "file",
    description: "NAME=PATH: a secret whose value is the content of a host file, which must be UTF-8"
  },
  "secret-env": {
    _tag: "secret",
    from: "environment",
    description: "NAME: a secret whose value is the variable NAME of pyro's own environment"
  }
} as const

const items = (description: string) =>
  optional(
    list(
      text("").pipe(
        must(
          (item) => secretTargetOf(item) !== undefined,
          `must be NAME@HOST[:PORT][:HEADER][+pull=REPOSITORY] or NAME@PRESET (${
            Object.keys(secretPresets).join(", ")
          })`
        )
      )
    ).pipe(
      must((all) => all.length <= 64, "must be 64 at most"),
      described(description)
    )
  )

/** Secrets whose values stay on the host. */
export const secretHttpField = (rest: string) => ({
  secretHttp: items(
    "Secrets that only a host gets: NAME@HOST[:PORT][:HEADER] or NAME@PRESET. The guest has a placeholder in the variable NAME, " +
      `and pyro puts the value into HTTPS requests to HOST. ${rest}`
  )
})

/** Secrets of hosts whose values commands can have, too. */
export const secretCommandsField = (rest: string) => ({
  secretCommands: optional(
    list(SecretName()).pipe(
      must((all) => all.length <= MAX_SECRETS, `must be ${MAX_SECRETS} at most`),
      described(
        "Names of secrets whose values commands can have, as variables or files, although `secret_http` names a host for them. " +
          `Without this, commands have placeholders. ${rest}`
      )
    )
  )
})

/** Names of secrets whose values commands can have, in a result. */
export const secretCommandNames = () =>
  optional(
    Schema.Array(Schema.String).annotate({
      description:
        "Names of its secrets whose values commands can have. Commands have placeholders of the others. Absent if the record cannot be read"
    })
  )

/** Hosts that no longer get a secret. */
export const clearSecretHttpField = () => ({
  clearSecretHttp: items(
    "Hosts that no longer get a secret: NAME@HOST[:PORT] or NAME@PRESET. pyro denies requests with the placeholder until a reset. Default: none"
  )
})

/** Hosts of a workspace's secrets, in a result. */
export const secretHosts = () =>
  optional(
    Schema.Array(Schema.String).annotate({
      description:
        "Hosts that get a secret in place of its placeholder: NAME@HOST[:PORT][:HEADER]. Absent if the record cannot be read"
    })
  )
