import { Effect } from "effect"
import type { PullPayload } from "../../contract/rows/environment.ts"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import type { ImageReference } from "../../contract/text/image-reference.ts"
import { Environments, type OnProgress, within } from "../../environment/Environments.ts"
import { sourceOf } from "../../environment/image-source.ts"
import { buildInMicroVm } from "./builder.ts"
import { builderLogins } from "./logins.ts"
import { pullFailed } from "./pull-failed.ts"

/** Pulls an image of a registry, and makes an environment of it. */
export const pullImage = (
  pyro: PyroService,
  reference: ImageReference,
  { allowHosts = [], allowIps = [], ...auth }: Omit<PullPayload, "environment" | "force">,
  onProgress: OnProgress
) =>
  Effect.gen(function*() {
    const { keepImage } = yield* Environments
    const { logins, ...ofHost } = yield* builderLogins([reference], auth)
    const { allowHosts: own, plainHttp, registry, source } = sourceOf(reference)
    yield* keepImage(reference.name, (file) =>
      buildInMicroVm(pyro, {
        reference: reference.name,
        request: { source, plainHttp, architecture: "amd64", logins },
        logins: ofHost,
        allowHosts: [...new Set([...own, ...ofHost.allowHosts, ...allowHosts])],
        allowIps,
        registries: [registry],
        file,
        onProgress: within(onProgress, 0.2, 1),
        refused: pullFailed(pyro, reference.name, logins[0]?.user)
      }), { replace: true, onProgress: within(onProgress, 0, 0.2) })
  })
