import { Effect } from "effect"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import type { ImageReference } from "../../contract/text/image-reference.ts"
import { Environments, type OnProgress } from "../../environment/Environments.ts"
import { sourceOf } from "../../environment/image-source.ts"
import { buildInMicroVm } from "./builder.ts"

/** Pulls an image of a registry, and makes an environment of it. */
export const pullImage = (pyro: PyroService, reference: ImageReference, onProgress: OnProgress) =>
  Effect.flatMap(Environments, ({ keepImage }) => {
    const { allowHosts, plainHttp, registry, source } = sourceOf(reference)
    return keepImage(reference.name, (file) =>
      buildInMicroVm(pyro, {
        reference: reference.name,
        request: { source, plainHttp, architecture: "amd64" },
        allowHosts,
        registries: [registry],
        file,
        onProgress
      }))
  })
