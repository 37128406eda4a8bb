import { Effect, Option, Redacted, Schema } from "effect"
import { loginRefusal } from "../../contract/rows/registry-fields.ts"
import type { Secrets } from "../../contract/rows/secret-fields.ts"
import { byName, named, table } from "../../contract/text/names.ts"
import { readIfReadable } from "../../system/files/content.ts"
import { runTool } from "../../system/processes/child.ts"
import { settingNow } from "../../system/settings/config.ts"

/** A file of `docker login` (docs.docker.com, "docker login") or of podman (containers-auth.json). Other parts are not read. */
const AuthFile = Schema.fromJsonString(Schema.Struct({
  auths: Schema.optional(byName(Schema.Struct({
    auth: Schema.optional(Schema.String),
    username: Schema.optional(Schema.String),
    password: Schema.optional(Schema.String),
    identitytoken: Schema.optional(Schema.String)
  }))),
  credHelpers: Schema.optional(byName(Schema.String)),
  credsStore: Schema.optional(Schema.String)
}))
type AuthFile = typeof AuthFile.Type

/** Answer of a credential helper. */
const HelperAnswer = Schema.fromJsonString(Schema.Struct({ Username: Schema.String, Secret: Schema.String }))

/** Names of registries in these files, where they have several. */
const otherNames = table<ReadonlyArray<string>>({
  "docker.io": ["https://index.docker.io/v1/", "index.docker.io", "registry-1.docker.io"]
})

const namesOf = (registry: string) => [
  ...otherNames[registry] ?? [],
  registry,
  `https://${registry}`,
  `https://${registry}/v1/`,
  `https://${registry}/v2/`
]

type Found =
  | { readonly _tag: "Login"; readonly value: string }
  /** There is a login that pyro cannot keep outside of a microVM, or that cannot be read. */
  | { readonly _tag: "Unusable"; readonly reason: string }

const unusable = (reason: string): Found => ({ _tag: "Unusable", reason })

const checked = (user: string, password: string): Found => {
  const value = `${user}:${password}`
  // The user that Docker writes beside a refresh token (RFC 6749, 6), which only a POST to the token service takes.
  if (user === "<token>") {
    return unusable("is an identity token, which pyro cannot keep outside of a microVM: log in with an access token")
  }
  const reason = loginRefusal(value)
  return reason === undefined ? { _tag: "Login", value } : unusable(reason)
}

const inFile = ({ auths = {} }: AuthFile, names: ReadonlyArray<string>): Found | undefined => {
  const entry = names.map((name) => auths[name]).find((one) => one !== undefined)
  if (entry === undefined) return undefined
  if ((entry.identitytoken ?? "") !== "") return checked("<token>", "")
  const text = Buffer.from(entry.auth ?? "", "base64").toString("utf8").replace(/\0+$/, "")
  const colon = text.indexOf(":")
  const user = entry.username ?? text.slice(0, Math.max(colon, 0))
  const password = entry.password ?? text.slice(colon + 1)
  // With a helper, Docker writes an empty entry.
  return user === "" && password === "" ? undefined : checked(user, password)
}

const HELPER = /^[A-Za-z0-9._-]+$/

/** Asks a credential helper of the host, as Docker does. A helper without the login fails. */
const fromHelper = (helper: string, name: string): Effect.Effect<Found | undefined> =>
  !HELPER.test(helper)
    ? Effect.succeed(unusable(`has a credential helper with the name ${JSON.stringify(helper)}`))
    : runTool(`docker-credential-${helper}`, ["get"], { input: name, maxOutputBytes: 65_536 }).pipe(
      Effect.timeout("30 seconds"),
      Effect.map(({ stdout }) =>
        Option.match(Schema.decodeUnknownOption(HelperAnswer)(stdout.toString("utf8")), {
          onNone: () => unusable(`has the helper docker-credential-${helper}, whose answer is unknown`),
          onSome: ({ Secret, Username }) => checked(Username, Secret)
        })
      ),
      Effect.catchTags({
        ToolFailed: () => Effect.succeed(undefined),
        HostToolMissing: () => Effect.succeed(unusable(`needs docker-credential-${helper}, which is not on PATH`)),
        TimeoutError: () => Effect.succeed(unusable(`has the helper docker-credential-${helper}, which did not answer`))
      })
    )

const lookUp = (file: AuthFile, registry: string) =>
  Effect.gen(function*() {
    const names = namesOf(registry)
    const [first = registry] = names
    const helper = names.map((name) => file.credHelpers?.[name]).find((one) => one !== undefined) ?? file.credsStore
    const found = helper === undefined || helper === "" ? undefined : yield* fromHelper(helper, first)
    return found ?? inFile(file, names)
  })

/** The files, in the order in which they are asked. */
const authFiles = (): ReadonlyArray<AuthFile> => {
  const own = settingNow("REGISTRY_AUTH_FILE")
  const runtime = settingNow("XDG_RUNTIME_DIR")
  const docker = settingNow("DOCKER_CONFIG") ?? `${settingNow("HOME") ?? ""}/.docker`
  return [
    ...own === undefined ? runtime === undefined ? [] : [`${runtime}/containers/auth.json`] : [own],
    `${docker}/config.json`
  ].flatMap((file) => {
    const text = readIfReadable(file)
    return text === undefined ? [] : Option.toArray(Schema.decodeUnknownOption(AuthFile)(text))
  })
}

/** Logins of this user for registries, and why others are of no use. */
export interface FoundLogins {
  readonly registryAuth: Secrets
  readonly unusable: ReadonlyArray<{ readonly registry: string; readonly reason: string }>
}

/** The logins of `docker login` and `podman login` for registries. */
export const loginsFor = (registries: ReadonlyArray<string>): Effect.Effect<FoundLogins> =>
  Effect.gen(function*() {
    const files = authFiles()
    const found: Array<readonly [registry: string, Found]> = []
    for (const registry of new Set(registries)) {
      for (const file of files) {
        const one = yield* lookUp(file, registry)
        if (one === undefined) continue
        found.push([registry, one])
        break
      }
    }
    return {
      registryAuth: named(
        found.flatMap(([registry, one]) => one._tag === "Login" ? [[registry, Redacted.make(one.value)] as const] : [])
      ),
      unusable: found.flatMap(([registry, one]) => one._tag === "Unusable" ? [{ registry, reason: one.reason }] : [])
    }
  })
