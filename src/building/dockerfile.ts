import { Effect } from "effect"
import { InvalidRequest } from "../contract/errors/errors.ts"
import type { BuildPayload } from "../contract/rows/environment.ts"
import type { PyroService } from "../contract/rows/Pyro.ts"
import { Environments, type OnProgress } from "../lib/environment/Environments.ts"
import { basesOf } from "../lib/recipe/dockerfile.ts"
import { readDockerfile } from "../lib/seeding/dockerfile.ts"
import { Paths } from "../system/files/Paths.ts"
import { buildInMicroVm } from "./builder/builder.ts"
import { placesIn } from "./builder/files.ts"
import { presentBases } from "./builder/present.ts"
import { registryGrants, type RegistryOption, type RegistryWords } from "./registry/grants.ts"
import { builderLogins } from "./registry/logins.ts"
import { mirroredRegistries, mirrorsOf, withMirror } from "./registry/mirrors.ts"
import { keepSteps, keptSteps, mostStepsBytes } from "./steps.ts"

const wrong = (field: string, detail: string) => new InvalidRequest({ field, detail })

/** Steps of earlier builds, and the target of the steps of this build. */
const stepsFor = (name: string, { noCache, secrets }: Pick<BuildPayload, "noCache" | "secrets">) =>
  Effect.gen(function*() {
    const stepsBefore = noCache ? undefined : yield* keptSteps(name)
    // Programs of a build may write a secret anywhere. The image is searched for the values; steps are not.
    const mostBytes = noCache || secrets !== undefined ? 0 : yield* mostStepsBytes
    const paths = yield* Paths
    return (file: string) => ({
      secrets,
      stepsBefore,
      stepsAfter: mostBytes === 0
        ? undefined
        : { file, mostBytes, keep: Effect.provideService(keepSteps(name, file), Paths, paths) }
    })
  })

/** Builds a Dockerfile in a builder microVM, and makes an environment of the image. */
export const buildDockerfile = (
  pyro: PyroService,
  { allowRegistries, option = "allow_hosts", ...payload }:
    & BuildPayload
    & Pick<RegistryWords, "allowRegistries">
    & { readonly name: string; readonly dockerfile: string; readonly option?: RegistryOption },
  onProgress: OnProgress
) =>
  Effect.scoped(Effect.gen(function*() {
    const { allowHosts, buildArgs, dockerfile, name, platform, pull, replace, target, ...auth } = payload
    if (platform !== undefined && platform !== "linux/amd64") {
      return yield* wrong("platform", `${platform} cannot be built here: microVMs of this host run linux/amd64 alone`)
    }
    const found = yield* Effect.orElseSucceed(readDockerfile(dockerfile), () => undefined)
    if (found === undefined) {
      return yield* wrong("dockerfile", "must be a directory with a Dockerfile, or a Dockerfile of at most 256 KiB")
    }
    const { context, file, text } = found
    const bases = yield* basesOf(text, { arguments: buildArgs, target })
    const path = `${context}/${file}`
    const here = yield* presentBases(bases, { path, pull })
    const grants = yield* registryGrants(bases, {
      allowHosts,
      allowRegistries,
      registryAuth: auth.registryAuth,
      mirrored: yield* mirroredRegistries,
      present: here.found,
      path,
      option
    })
    const { present, ...given } = yield* here.given({ onProgress, secrets: payload.secrets })
    const references = here.pulled.map(({ reference }) => reference)
    const mirrors = yield* mirrorsOf(references)
    const { logins, ...ofHost } = yield* builderLogins([...references, ...mirrors.references], auth)
    const { keepImage } = yield* Environments
    const besideOf = yield* stepsFor(name, payload)
    yield* keepImage(name, (result) => {
      const beside = besideOf(`${result}.steps`)
      const made = buildInMicroVm(pyro, {
        ...beside,
        ...given,
        reference: name,
        request: {
          architecture: "amd64",
          logins,
          dockerfile: {
            file,
            target,
            arguments: buildArgs,
            loopbackPorts: grants.loopbackPorts,
            mirrors: mirrors.bases,
            present,
            ...placesIn(beside)
          }
        },
        context,
        logins: ofHost,
        registries: [...new Set([...grants.registries, ...mirrors.registries])],
        allowHosts: [...new Set([...grants.allowHosts, ...mirrors.allowHosts, ...ofHost.allowHosts])],
        unknownImages: bases.unknown.map(({ written }) => written),
        file: result,
        onProgress
      })
      return Effect.map(made, (image) => withMirror(image, mirrors))
    }, { replace })
  }))
