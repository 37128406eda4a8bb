import { Effect } from "effect"
import type { PullPayload } from "../../contract/rows/environment.ts"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import type { ImageReference } from "../../contract/text/image-reference.ts"
import { Environments, type OnProgress, within } from "../../environment/Environments.ts"
import { sourceOf } from "../../environment/image-source.ts"
import { buildInMicroVm } from "./builder.ts"
import { pullFailed } from "./pull-failed.ts"

/** Pulls an image of a registry, and makes an environment of it. */
export const pullImage = (
  pyro: PyroService,
  reference: ImageReference,
  { allowHosts = [], allowIps = [] }: Pick<PullPayload, "allowHosts" | "allowIps">,
  onProgress: OnProgress
) =>
  Effect.flatMap(Environments, ({ keepImage }) => {
    const { allowHosts: own, plainHttp, registry, source } = sourceOf(reference)
    return keepImage(reference.name, (file) =>
      buildInMicroVm(pyro, {
        reference: reference.name,
        request: { source, plainHttp, architecture: "amd64" },
        allowHosts: [...new Set([...own, ...allowHosts])],
        allowIps,
        registries: [registry],
        file,
        onProgress: within(onProgress, 0.2, 1),
        refused: pullFailed(pyro, reference.name)
      }), { replace: true, onProgress: within(onProgress, 0, 0.2) })
  })
