import { Effect, Stream } from "effect"
import type { EnvironmentExportEvent, EnvironmentExportPayload } from "../contract/rows/environment-archive.ts"
import type { PyroService } from "../contract/rows/Pyro.ts"
import { Environments, type OnProgress, within } from "../lib/environment/Environments.ts"
import { exportRequest } from "../lib/environment/image-export.ts"
import { outputOf, putImage, refused } from "../lib/exporting/one-file.ts"
import { openFile } from "../system/files/content.ts"
import { toHostErrorOf } from "../system/files/failure.ts"
import { acquireBuilder } from "./builder/acquire.ts"
import { takeFile } from "./builder/files.ts"
import { bytesOfFile, counting, giveFile } from "./builder/give-file.ts"
import { runRecipe } from "./builder/run-recipe.ts"

/** Bytes of an archive beside the files of its layer. */
const BESIDE_BYTES = 1024 ** 2

/** Writes an environment as an OCI archive to a new file of the host, which a builder microVM makes. */
export const exportEnvironment = (
  pyro: PyroService,
  { environment, output: asked, overwrite }: EnvironmentExportPayload,
  toCaller: OnProgress
) =>
  Effect.scoped(Effect.gen(function*() {
    const output = yield* outputOf(asked)
    const found = yield* Effect.flatMap(Environments, ({ ensure }) =>
      ensure(environment, { onProgress: within(toCaller, 0, 0.1) }))
    const { imagePath, name: reference, sizeBytes } = found
    const onProgress = within(toCaller, 0.1, 1)
    const expected = sizeBytes + BESIDE_BYTES
    // The image stays readable here if another process removes its environment.
    const fd = yield* openFile(imagePath, "r")
    const exported = Effect.gen(function*() {
      // Refuses an output in the way before the work of minutes.
      const file = yield* putImage(output, { overwrite }, expected)
      const workspace = yield* acquireBuilder(pyro, { reference, allowHosts: [], onProgress })
      const given = counting({ step: "giving the image to the builder", sizeBytes, from: 0.2, to: 0.4 }, onProgress)
      const image = Stream.tap(bytesOfFile(fd, imagePath), (bytes) =>
        Effect.sync(() => given(bytes)))
      yield* giveFile(pyro, { workspace, path: "/workspace/root.erofs" }, image)
      const request = { export: exportRequest(found) }
      const packed = yield* runRecipe(pyro, workspace, { request, reference, onProgress, last: "Packed" })
      const path = "/workspace/image.tar"
      const taking = { step: "taking the archive from the builder", sizeBytes: packed.sizeBytes, from: 0.85, to: 1 }
      const taken = counting(taking, onProgress)
      yield* takeFile(pyro, { workspace, path, sizeBytes: packed.sizeBytes, reference }, (bytes) => {
        taken(bytes)
        return file.write(bytes)
      })
      yield* file.endFile
      const { replaced } = yield* file.commit
      const event: EnvironmentExportEvent = {
        _tag: "Exported",
        output: output.path,
        bytes: packed.sizeBytes,
        imageDigest: packed.digest,
        replaced: replaced.length > 0
      }
      return event
    })
    return yield* Effect.catchTag(exported, "PutFailed", refused(output, expected))
  })).pipe(Effect.catchTag("FileFailed", (failure) => Effect.fail(toHostErrorOf(asked)(failure))))
