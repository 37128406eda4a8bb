import { Effect, Result } from "effect"
import { RegistryNotAllowed } from "../../contract/errors/errors.ts"
import { option } from "../../contract/errors/next-step.ts"
import { catalogue } from "../../lib/environment/model/catalogue.ts"
import { parseHostRules } from "../../lib/network/model/policy.ts"
import { allowsNames, type HostRule } from "../../lib/network/model/rule.ts"
import { type Bases, type NamedEnvironment, type NamedImage, OF_HOST } from "../../lib/recipe/dockerfile.ts"
import { sourceOf } from "../../lib/recipe/image-source.ts"
import { kindOfRegistry, loopbackPortOf } from "../../lib/recipe/registries.ts"

/** The person's grants for registries that files name. */
export interface RegistryWords {
  /** `--allow-host` of the build. */
  readonly allowHosts: ReadonlyArray<string>
  /** `--allow-registry` of a new workspace. */
  readonly allowRegistries?: ReadonlyArray<string> | undefined
  /** Registries with a login of the person. */
  readonly registryAuth?: Readonly<Record<string, unknown>> | undefined
  /** Registries for which the person configured mirrors. */
  readonly mirrored?: ReadonlyArray<string>
}

/** Grants of a builder for the images of its files. */
export interface RegistryGrants {
  /** Rules for the builder's policy: the person's own, and those of the registries. */
  readonly allowHosts: ReadonlyArray<string>
  /** The registries, as HOST:PORT. */
  readonly registries: ReadonlyArray<string>
  /** Ports of registries on this host's loopback. */
  readonly loopbackPorts: ReadonlyArray<number>
}

const rulesOf = (text: string): ReadonlyArray<HostRule> => Result.getOrElse(parseHostRules(text), () => [])

const unique = <A>(all: ReadonlyArray<A>): ReadonlyArray<A> => [...new Set(all)]

/** Whether the person's words name a registry. A wide rule does not grant this host. */
const isAllowed = (
  registry: string,
  { allowHosts, allowRegistries = [], mirrored = [], registryAuth = {} }: RegistryWords
): boolean => {
  const port = loopbackPortOf(registry)
  const words = [...allowHosts, ...allowRegistries]
  switch (kindOfRegistry(registry)) {
    case "well_known":
      return true
    case "loopback":
      return port !== undefined && words.some((word) => loopbackPortOf(word) === port)
    case "address":
      return false
    case "unknown": {
      const [rule] = rulesOf(sourceOf({ name: "", registry, repository: "x", tag: "x", digest: undefined }).registry)
      return Object.hasOwn(registryAuth, registry) || mirrored.includes(registry) ||
        rule !== undefined && words.flatMap(rulesOf).some((wide) => allowsNames(wide, rule))
    }
  }
}

/** The images whose registries the person must allow, one of each registry. */
export const notAllowed = (images: ReadonlyArray<NamedImage>, words: RegistryWords): ReadonlyArray<NamedImage> => {
  const first = new Map(images.toReversed().map((image) => [image.reference.registry, image]))
  return [...first.values()].toReversed().filter(({ reference: { registry } }) => !isAllowed(registry, words))
}

/** Whether the person's words name an environment of this host. pyro's own environments have no data of a person and need no grant. */
const mayRead = (
  { environment, image }: NamedEnvironment,
  { allowHosts, allowRegistries = [] }: RegistryWords
): boolean => catalogue.some(({ name }) => name === environment) || [...allowHosts, ...allowRegistries].includes(image)

/** The reason of a registry that the person must allow. */
const reasonOf = (registry: string) => {
  const kind = kindOfRegistry(registry)
  return kind === "well_known" ? "unknown" : kind
}

/** Whether an option can allow a registry. */
const canBeAllowed = (registry: string): boolean =>
  kindOfRegistry(registry) === "unknown" || loopbackPortOf(registry) !== undefined

/** The value of the option that allows a registry. */
const wordFor = (registry: string): string => {
  const port = loopbackPortOf(registry)
  return port === undefined ? registry : `localhost:${port}`
}

/** Option of a command that builds, with which a person allows a registry. */
export type RegistryOption = "allow_hosts" | "allow_registries"

const allowing = (field: RegistryOption, word: string) => option("Allow it if you trust it", field, [word])

/**
 * The grants of a builder for the images of its files. Fails before the build if a file names a registry or an environment that only the person
 * can allow: the programs of the build have what the builder has. An image that is `present` needs the same word, and no network.
 */
export const registryGrants = (
  { environments = [], images }: Pick<Bases, "environments" | "images">,
  { option: field, path, present = [], ...words }: RegistryWords & {
    readonly present?: ReadonlyArray<NamedImage>
    readonly path: string
    readonly option: RegistryOption
  }
): Effect.Effect<RegistryGrants, RegistryNotAllowed> => {
  const [first] = notAllowed(images, words)
  if (first !== undefined) {
    const { line, path: own = path, reference: { registry } } = first
    return Effect.fail(
      new RegistryNotAllowed({
        path: own,
        registry,
        reason: reasonOf(registry),
        ...(line === undefined ? {} : { line }),
        ...(canBeAllowed(registry) ? { next: [allowing(field, wordFor(registry))] } : {})
      })
    )
  }
  const environment = environments.find((one) => !mayRead(one, words))
  if (environment !== undefined) {
    const { image, line, path: own = path } = environment
    return Effect.fail(
      new RegistryNotAllowed({
        path: own,
        registry: image,
        reason: "environment",
        next: [allowing(field, image)],
        ...(line === undefined ? {} : { line })
      })
    )
  }
  const pulled = images.filter((image) => !present.includes(image))
  const sources = pulled.map(({ reference }) => sourceOf(reference))
  const portsOf = (all: ReadonlyArray<NamedImage>) =>
    unique(all.flatMap(({ reference: { registry } }) => loopbackPortOf(registry) ?? []))
  const named = portsOf(images)
  const ofPerson = words.allowHosts.filter((word) => {
    const port = loopbackPortOf(word)
    // The builder has another name for this host, and needs none for an environment.
    return !word.startsWith(OF_HOST) && (port === undefined || !named.includes(port))
  })
  return Effect.succeed({
    allowHosts: unique([...sources.flatMap(({ allowHosts }) => allowHosts), ...ofPerson]),
    registries: unique(sources.map(({ registry }) => registry)),
    loopbackPorts: portsOf(pulled)
  })
}
