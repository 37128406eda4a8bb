import { Effect } from "effect"
import type { PullPayload } from "../contract/rows/environment.ts"
import type { PyroService } from "../contract/rows/Pyro.ts"
import type { ImageReference } from "../contract/text/image-reference.ts"
import { Environments, type OnProgress } from "../lib/environment/Environments.ts"
import { sourceOf } from "../lib/recipe/image-source.ts"
import { buildInMicroVm } from "./builder/builder.ts"
import { builderLogins } from "./registry/logins.ts"
import { mirrorsOf, withMirror } from "./registry/mirrors.ts"
import { pullFailed } from "./registry/pull-failed.ts"

/** Pulls an image of a registry or its mirrors, and makes an environment of it. */
export const pullImage = (
  pyro: PyroService,
  reference: ImageReference,
  { allowHosts = [], allowIps = [], ...auth }: Omit<PullPayload, "environment" | "force">,
  onProgress: OnProgress
) =>
  Effect.gen(function*() {
    const { keepImage } = yield* Environments
    const mirrors = yield* mirrorsOf([reference])
    const { logins, ...ofHost } = yield* builderLogins([reference, ...mirrors.references], auth)
    const { allowHosts: own, plainHttp, registry, source } = sourceOf(reference)
    const further = [...allowHosts, ...allowIps, ...ofHost.allowHosts]
    const user = logins.find((login) => login.registry === reference.registry)?.user
    yield* keepImage(reference.name, (file) =>
      Effect.map(
        buildInMicroVm(pyro, {
          reference: reference.name,
          request: { source, plainHttp, mirrors: mirrors.sources, architecture: "amd64", logins },
          logins: ofHost,
          allowHosts: [...new Set([...own, ...mirrors.allowHosts, ...ofHost.allowHosts, ...allowHosts])],
          allowIps,
          isLoopback: plainHttp && mirrors.sources.every((mirror) => mirror.plainHttp) && further.length === 0,
          registries: [...new Set([registry, ...mirrors.registries])],
          file,
          onProgress,
          refused: pullFailed(pyro, reference.name, {
            user,
            // Troubles with mirrors are in the detail. The registry's own decide what helps.
            mirrors: mirrors.registries.filter((one) => one !== registry)
          })
        }),
        (made) => withMirror(made, mirrors)
      ), { replace: true })
  })
