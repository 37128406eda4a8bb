import { Effect, type Scope } from "effect"
import { InvalidRequest } from "../contract/errors/errors.ts"
import { option } from "../contract/errors/next-step.ts"
import type { EnvironmentImportPayload } from "../contract/rows/environment-archive.ts"
import type { PyroService } from "../contract/rows/Pyro.ts"
import type { RunInput } from "../contract/rows/run-input.ts"
import { environmentOfFile, type ImageArchive, parseArchive } from "../contract/text/image-archive.ts"
import { Environments, type OnProgress } from "../lib/environment/Environments.ts"
import { ARCHIVE_PATH } from "../lib/environment/model/image-builder.ts"
import type { Replacing } from "../lib/environment/model/own.ts"
import { openAny, type OpenArchive, openArchive, openInput } from "./builder/archive.ts"
import { buildInMicroVm } from "./builder/builder.ts"
import type { FileUnreadable } from "./builder/give-file.ts"

/** Makes an environment of the image in an archive. The archive is opened first: a wrong path needs no builder. */
const keepArchive = (
  pyro: PyroService,
  name: string,
  opening: Effect.Effect<OpenArchive, FileUnreadable, Scope.Scope>,
  onProgress: OnProgress,
  replacing: Replacing
) =>
  Effect.scoped(Effect.gen(function*() {
    const { image, kind, ...upload } = yield* opening
    const { keepImage } = yield* Environments
    yield* keepImage(name, (file) =>
      buildInMicroVm(pyro, {
        reference: name,
        request: { architecture: "amd64", archive: { kind, name: image } },
        allowHosts: [],
        uploads: { [ARCHIVE_PATH]: upload },
        file,
        onProgress
      }), replacing)
  }))

/** Takes an image of a file, a directory or an engine, under this source as its name. */
export const pullArchive = (pyro: PyroService, archive: ImageArchive, onProgress: OnProgress) =>
  keepArchive(pyro, archive.name, openArchive(archive), onProgress, { replace: true })

/** The name of an import's environment: as asked, or as its file. */
export const nameOfImport = (
  { name, source }: Pick<EnvironmentImportPayload, "name" | "source">
): Effect.Effect<string, InvalidRequest> => {
  const archive = parseArchive(source)
  const given = name ??
    (source === "-" ? "" : archive?.path === "" ? archive.image ?? "" : environmentOfFile(archive?.path ?? source))
  return given === ""
    ? new InvalidRequest({
      field: "name",
      detail: "the environment needs a name",
      next: [option("Give it one", "name")]
    })
    : Effect.succeed(given)
}

/** Makes an environment of an archive's image under a name of its own. */
export const importArchive = (
  pyro: PyroService,
  name: string,
  { replace, source }: EnvironmentImportPayload,
  input: RunInput | undefined,
  onProgress: OnProgress
) => {
  const archive = parseArchive(source)
  const opening = source === "-" ? openInput(input) : archive === undefined ? openAny(source) : openArchive(archive)
  return keepArchive(pyro, name, opening, onProgress, { replace })
}
