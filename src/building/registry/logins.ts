import { Effect, Redacted } from "effect"
import { InvalidRequest } from "../../contract/errors/errors.ts"
import { loginOf } from "../../contract/rows/registry-fields.ts"
import type { Secrets } from "../../contract/rows/secret-fields.ts"
import type { ImageReference } from "../../contract/text/image-reference.ts"
import { named, table } from "../../contract/text/names.ts"
import type { BuilderLogin } from "../../lib/environment/model/image-builder.ts"
import { isLoopback } from "../../lib/recipe/image-source.ts"

/** Hosts besides the registry that get its login: they answer for it, or give its tokens. */
const besides = table<ReadonlyArray<string>>({
  "docker.io": ["registry-1.docker.io:443", "auth.docker.io:443"],
  "registry.gitlab.com": ["registry.gitlab.com:443", "gitlab.com:443"]
})

const withPort = (host: string) => host.includes(":") ? host : `${host}:443`

/** The part of the logins that a builder gets, and the part that stays on the host. */
export interface BuilderLogins {
  /** Users, and names of the variables with placeholders. */
  readonly logins: ReadonlyArray<BuilderLogin>
  /** Passwords, which pyro puts into requests that pull these images. */
  readonly secrets: Secrets
  readonly secretHttp: ReadonlyArray<string>
  /** Hosts that give tokens. */
  readonly allowHosts: ReadonlyArray<string>
}

/** The login of a registry. Docker writes Docker Hub's name in several ways. */
const loginFor = (auth: Secrets, registry: string): Redacted.Redacted | undefined =>
  auth[registry] ?? (registry === "docker.io" ? auth["index.docker.io"] : undefined)

/** The logins that the pulls of these images need. Other logins are not used. */
export const builderLogins = (
  references: ReadonlyArray<ImageReference>,
  { registryAuth = {}, tokenHosts = [] }: {
    readonly registryAuth?: Secrets
    readonly tokenHosts?: ReadonlyArray<string>
  }
): Effect.Effect<BuilderLogins, InvalidRequest> =>
  Effect.gen(function*() {
    const registries = [...new Set(references.map(({ registry }) => registry))]
    const used = registries.flatMap((registry) => {
      const login = loginFor(registryAuth, registry)
      return login === undefined ? [] : [{ registry, ...loginOf(Redacted.value(login)) }]
    })
    const local = used.find(({ registry }) => isLoopback(registry.split(":")[0]!))
    if (local !== undefined) {
      return yield* new InvalidRequest({
        field: "registry_auth",
        detail:
          `${local.registry} is a service of this host, and its login would be in the microVM: name the registry by a host with TLS`
      })
    }
    const numbered = used.map((login, at) => ({ ...login, variable: `PYRO_REGISTRY_${at}` }))
    const tokens = tokenHosts.map(withPort)
    return {
      logins: numbered.map(({ registry, user, variable }) => ({ registry, user, variable })),
      secrets: named(numbered.map(({ password, variable }) => [variable, Redacted.make(password)] as const)),
      secretHttp: numbered.flatMap(({ registry, variable }) => {
        const pulls = references.filter((one) => one.registry === registry)
          .map(({ repository }) => `+pull=${repository}`)
        const hosts = [...besides[registry] ?? [withPort(registry)], ...tokens]
        return [...new Set(hosts)].map((host) => `${variable}@${host}:authorization${[...new Set(pulls)].join("")}`)
      }),
      allowHosts: [
        ...tokens,
        ...numbered.flatMap(({ registry }) => registry === "docker.io" ? [] : besides[registry] ?? [])
      ]
    }
  })
