import { Effect } from "effect"
import type { BuildPayload, PullPayload } from "../../contract/rows/environment.ts"
import type { OperationName } from "../../contract/rows/operations.ts"
import type { CreatePayload } from "../../contract/rows/workspace-lifecycle.ts"
import { parseReference } from "../../contract/text/image-reference.ts"
import { parseMirrors } from "../../contract/text/registry-mirrors.ts"
import { settingNow } from "../../system/settings/config.ts"
import { note } from "../output/print.ts"

const loaded = Effect.promise(() => import("../../lib/recipe/docker-logins.ts"))

/** A registry of this host's loopback gets no login: it would be in the microVM. */
const isElsewhere = (registry: string) => !/^(localhost|127\.0\.0\.1|host\.pyro\.internal)(:|$)/.test(registry)

/** The registries, and those of their mirrors. */
const withMirrors = (registries: ReadonlyArray<string>) => {
  const mirrors = parseMirrors(settingNow("PYRO_REGISTRY_MIRRORS") ?? "") ?? {}
  const more = registries.flatMap((registry) => mirrors[registry] ?? []).map((mirror) => mirror.split("/", 1)[0]!)
  return [...new Set([...registries, ...more])]
}

/** Adds the logins of this user for the registries, which the options do not have. */
const adding = <P extends Pick<PullPayload, "registryAuth">>(payload: P, registries: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const { registryAuth: given = {} } = payload
    const wanted = withMirrors(registries).filter((registry) => isElsewhere(registry) && !(registry in given))
    if (wanted.length === 0) return payload
    const { loginsFor } = yield* loaded
    const { registryAuth, unusable } = yield* loginsFor(wanted)
    for (const { reason, registry } of unusable) yield* note(`the login of ${registry} is not used: it ${reason}\n`)
    return Object.keys(registryAuth).length === 0
      ? payload
      : { ...payload, registryAuth: { ...given, ...registryAuth } }
  })

/** The same pull with the logins of this user: only a person's own command line uses them. */
export const pullWithLogins = (payload: PullPayload) => {
  const reference = parseReference(payload.environment)
  return reference === undefined ? Effect.succeed(payload) : adding(payload, [reference.registry])
}

const namedImages = Effect.promise(() => import("../../building/named-images.ts"))

/** A request with files that name images. */
type WithFiles = Partial<BuildPayload & CreatePayload>

const mirroredNow = () => Object.keys(parseMirrors(settingNow("PYRO_REGISTRY_MIRRORS") ?? "") ?? {})

/** The registries that the files of a request name, without those that only the person can allow: the build refuses them. */
const registriesFor = (payload: WithFiles) =>
  Effect.gen(function*() {
    const { namedImages: find, notAllowed } = yield* namedImages
    const images = yield* find(payload)
    const open = notAllowed(images, { ...payload, allowHosts: payload.allowHosts ?? [], mirrored: mirroredNow() })
      .map(({ reference: { registry } }) => registry)
    return images.map(({ reference: { registry } }) => registry).filter((registry) => !open.includes(registry))
  })

/** The same for every operation that reaches registries. */
export const withLogins = <P>(operation: OperationName, payload: P) =>
  Effect.gen(function*() {
    if (operation === "env.pull") return (yield* pullWithLogins(payload as PullPayload & P)) as P
    const { devcontainer, dockerfile } = payload as WithFiles
    const isOfFiles = operation === "env.build" || operation === "workspace.create"
    if (!isOfFiles || (devcontainer ?? dockerfile) === undefined) return payload
    return (yield* adding(payload as WithFiles, yield* registriesFor(payload as WithFiles))) as P
  })
