import { Effect } from "effect"
import { InvalidRequest } from "../../contract/errors/errors.ts"
import type { BuildPayload } from "../../contract/rows/environment.ts"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import { basesOf } from "../../environment/dockerfile.ts"
import { Environments, type OnProgress, within } from "../../environment/Environments.ts"
import { readDockerfile } from "../../seeding/dockerfile.ts"
import { buildInMicroVm } from "./builder.ts"
import { builderLogins } from "./logins.ts"

const wrong = (field: string, detail: string) => new InvalidRequest({ field, detail })

/** Builds a Dockerfile in a builder microVM, and makes an environment of the image. */
export const buildDockerfile = (
  pyro: PyroService,
  { allowHosts, buildArgs, dockerfile, name, replace, target, ...auth }: BuildPayload & {
    readonly name: string
    readonly dockerfile: string
  },
  onProgress: OnProgress
) =>
  Effect.gen(function*() {
    const found = yield* Effect.orElseSucceed(readDockerfile(dockerfile), () => undefined)
    if (found === undefined) {
      return yield* wrong("dockerfile", "must be a directory with a Dockerfile, or a Dockerfile of at most 1 MiB")
    }
    const { context, file, text } = found
    const bases = basesOf(text)
    const { logins, ...ofHost } = yield* builderLogins(bases.references, auth)
    const { keepImage } = yield* Environments
    yield* keepImage(name, (result) =>
      buildInMicroVm(pyro, {
        reference: name,
        request: {
          architecture: "amd64",
          logins,
          dockerfile: { file, target, arguments: buildArgs, loopbackPorts: bases.loopbackPorts }
        },
        context,
        logins: ofHost,
        registries: bases.registries,
        allowHosts: [...new Set([...bases.allowHosts, ...ofHost.allowHosts, ...allowHosts])],
        file: result,
        onProgress: within(onProgress, 0.2, 1)
      }), { replace, onProgress: within(onProgress, 0, 0.2) })
  })
