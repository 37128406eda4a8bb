import { Effect } from "effect"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import { type ImageReference, parseReference } from "../../contract/text/image-reference.ts"
import { Environments, type OnProgress } from "../../lib/environment/Environments.ts"
import type { BuilderRequest, KeptImage } from "../../lib/environment/model/image-builder.ts"
import { type BuildPlan, devContainerOf } from "../../lib/recipe/devcontainer.ts"
import { OF_HOST } from "../../lib/recipe/dockerfile.ts"
import { sourceOf } from "../../lib/recipe/image-source.ts"
import type { DevContainerInputs } from "../../lib/seeding/devcontainer-inputs.ts"
import { argumentsOf, basesOfPlan, type KnownDevContainer, planned } from "../../lib/seeding/devcontainer-plan.ts"
import { buildInMicroVm } from "../builder/builder.ts"
import { presentBases } from "../builder/present.ts"
import { registryGrants, type RegistryOption } from "../registry/grants.ts"
import { builderLogins } from "../registry/logins.ts"
import { mirroredRegistries, mirrorsOf, withMirror } from "../registry/mirrors.ts"

const pullOf = (reference: ImageReference) => {
  const { plainHttp, source } = sourceOf(reference)
  return { plainHttp, source }
}

/** Request to a builder, and the hosts that the builder needs. */
const requestOf = (
  plan: BuildPlan,
  inputs: DevContainerInputs,
  { buildArgs, onProgress, words }: {
    readonly onProgress: OnProgress
    readonly buildArgs: Readonly<Record<string, string>>
    readonly words: Omit<Parameters<typeof registryGrants>[1], "mirrored">
  }
) =>
  Effect.gen(function*() {
    const { base, features, ...rest } = plan
    const { dockerfile, folders } = inputs
    const { bases, text } = yield* basesOfPlan(plan, inputs, buildArgs)
    const here = yield* presentBases(bases, { path: words.path, pull: false })
    const { loopbackPorts, ...grants } = yield* registryGrants(bases, {
      ...words,
      mirrored: yield* mirroredRegistries,
      present: here.found
    })
    const { present, ...given } = yield* here.given({ onProgress })
    const references = here.pulled.map(({ reference }) => reference)
    const mirrors = yield* mirrorsOf(references)
    const devcontainer = {
      ...rest,
      features: features.map((feature) => {
        const local = folders.find(({ id }) => id === feature.id)
        return local === undefined ? feature : { ...feature, folder: local.folder }
      })
    }
    const isPulled = base._tag === "image" && features.length === 0 && !base.reference.startsWith(OF_HOST)
    const reference = isPulled ? parseReference(base.reference) : undefined
    const common = { architecture: "amd64", devcontainer } as const
    const request: BuilderRequest = reference !== undefined ?
      { ...common, ...pullOf(reference), mirrors: mirrors.sources } :
      {
        ...common,
        dockerfile: {
          ...(dockerfile === undefined ? { text } : { file: dockerfile.file, context: dockerfile.context }),
          target: base._tag === "image" ? undefined : base.target,
          arguments: base._tag === "image"
            ? {}
            : argumentsOf(base, buildArgs),
          loopbackPorts,
          mirrors: mirrors.bases,
          present
        }
      }
    return { request, mirrors, references, unknown: bases.unknown, given, ...grants }
  })

/** Stores the file's settings for programs in the image: a workspace of the environment alone then has the same variables. */
const kept = (made: KeptImage, { place, read }: KnownDevContainer, key: string): KeptImage => {
  const { config, label } = made
  const own = Object.entries(devContainerOf(read, place, { env: config.env, label }).env)
  return {
    ...made,
    config: { ...config, env: [...config.env, ...own.map(([name, value]) => `${name}=${value}`)] },
    devcontainer: { key, label, env: config.env }
  }
}

interface Building {
  readonly name: string
  readonly buildArgs: Readonly<Record<string, string>>
  readonly allowHosts: ReadonlyArray<string>
  /** Registries that the files may name, of a new workspace. */
  readonly allowRegistries?: ReadonlyArray<string> | undefined
  /** Option of the person's command that allows a registry. */
  readonly option: RegistryOption
  readonly replace: boolean
  /** Logins of registries, and hosts that give their tokens. */
  readonly auth?: Parameters<typeof builderLogins>[1]
}

/** Builds the environment of a devcontainer.json in a builder microVM. */
export const buildDevContainer = (
  pyro: PyroService,
  known: KnownDevContainer,
  { allowHosts, allowRegistries, auth = {}, buildArgs, name, option, replace }: Building,
  onProgress: OnProgress
) =>
  Effect.scoped(Effect.gen(function*() {
    const { inputs, key, plan } = yield* planned(known, buildArgs)
    const { registryAuth } = auth
    const { mirrors, ...asked } = yield* requestOf(plan, inputs, {
      buildArgs,
      onProgress,
      words: { allowHosts, allowRegistries, registryAuth, path: known.found.file, option }
    })
    const { logins, ...ofHost } = yield* builderLogins([...asked.references, ...mirrors.references], auth)
    const { keepImage } = yield* Environments
    yield* keepImage(name, (file) =>
      Effect.map(
        buildInMicroVm(pyro, {
          ...asked.given,
          reference: name,
          request: { ...asked.request, logins },
          logins: ofHost,
          ...(inputs.seed === undefined ? {} : { context: inputs.seed }),
          registries: [...new Set([...asked.registries, ...mirrors.registries])],
          allowHosts: [...new Set([...asked.allowHosts, ...mirrors.allowHosts, ...ofHost.allowHosts])],
          unknownImages: asked.unknown.map(({ written }) => written),
          file,
          onProgress
        }),
        (made) => kept(withMirror(made, mirrors), known, key)
      ), { replace })
  }))
