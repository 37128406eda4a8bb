import { Effect } from "effect"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import { type ImageReference, parseReference } from "../../contract/text/image-reference.ts"
import { named } from "../../contract/text/names.ts"
import { type BuildPlan, devContainerOf } from "../../environment/devcontainer.ts"
import { Environments, type OnProgress } from "../../environment/Environments.ts"
import type { BuilderRequest, KeptImage } from "../../environment/image-builder.ts"
import { sourceOf } from "../../environment/image-source.ts"
import type { DevContainerInputs } from "../../seeding/devcontainer-inputs.ts"
import { basesOfPlan, type KnownDevContainer, planned } from "../../seeding/devcontainer-plan.ts"
import { buildInMicroVm } from "./builder.ts"
import { builderLogins } from "./logins.ts"
import { mirrorsOf, withMirror } from "./mirrors.ts"

const pullOf = (reference: ImageReference) => {
  const { plainHttp, source } = sourceOf(reference)
  return { plainHttp, source }
}

/** What a builder is asked for, and the hosts that it needs. */
const requestOf = (
  plan: BuildPlan,
  inputs: DevContainerInputs,
  buildArgs: Readonly<Record<string, string>>
) =>
  Effect.gen(function*() {
    const { base, features, ...rest } = plan
    const { dockerfile, folders } = inputs
    const { bases: { loopbackPorts, ...bases }, text } = basesOfPlan(plan, inputs)
    const mirrors = yield* mirrorsOf(bases.references)
    const devcontainer = {
      ...rest,
      features: features.map((feature) => {
        const local = folders.find(({ id }) => id === feature.id)
        return local === undefined ? feature : { ...feature, folder: local.folder }
      })
    }
    const reference = base._tag === "image" && features.length === 0 ? parseReference(base.reference) : undefined
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
            : named([...Object.entries(base.arguments), ...Object.entries(buildArgs)]),
          loopbackPorts,
          mirrors: mirrors.bases
        }
      }
    return { request, mirrors, ...bases }
  })

/** Gives the image what the file says of programs: a workspace of the environment alone then has the same variables. */
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
  readonly replace: boolean
  /** Logins of registries, and hosts that give their tokens. */
  readonly auth?: Parameters<typeof builderLogins>[1]
}

/** Builds the environment of a devcontainer.json in a builder microVM. */
export const buildDevContainer = (
  pyro: PyroService,
  known: KnownDevContainer,
  { allowHosts, auth = {}, buildArgs, name, replace }: Building,
  onProgress: OnProgress
) =>
  Effect.gen(function*() {
    const { inputs, key, plan } = yield* planned(known, buildArgs)
    const { mirrors, ...asked } = yield* requestOf(plan, inputs, buildArgs)
    const { logins, ...ofHost } = yield* builderLogins([...asked.references, ...mirrors.references], auth)
    const { keepImage } = yield* Environments
    yield* keepImage(name, (file) =>
      Effect.map(
        buildInMicroVm(pyro, {
          reference: name,
          request: { ...asked.request, logins },
          logins: ofHost,
          ...(inputs.seed === undefined ? {} : { context: inputs.seed }),
          registries: [...new Set([...asked.registries, ...mirrors.registries])],
          allowHosts: [...new Set([...asked.allowHosts, ...mirrors.allowHosts, ...ofHost.allowHosts, ...allowHosts])],
          file,
          onProgress
        }),
        (made) => kept(withMirror(made, mirrors), known, key)
      ), { replace })
  })
