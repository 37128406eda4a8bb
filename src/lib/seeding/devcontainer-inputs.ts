import { Effect } from "effect"
import * as path from "node:path"
import { DevContainerRefused } from "../../contract/errors/errors.ts"
import { strictText } from "../../contract/text/utf8.ts"
import { isBeneath } from "../../system/files/host-path.ts"
import type { BuildPlan } from "../recipe/devcontainer.ts"
import { type FoundDevContainer, inProject, readPlain } from "./devcontainer.ts"

/** The parts of a project that the build of its dev container reads. Paths are relative to `seed`. */
export interface DevContainerInputs {
  /** Directory of the host that the builder gets. Undefined: none. */
  readonly seed: string | undefined
  readonly dockerfile:
    | { readonly file: string; readonly context: string; readonly text: string }
    | undefined
  /** Features of the project, with the texts that say what they do. */
  readonly folders: ReadonlyArray<
    { readonly id: string; readonly folder: string; readonly files: ReadonlyArray<string | undefined> }
  >
}

const isLocal = (id: string) => id.startsWith("./") || id.startsWith("../")

/** The bytes of a file as a text. Those that are not UTF-8 have one character each, and a last line that no other text has. */
const exactText = (bytes: Buffer) => strictText(bytes) ?? `${bytes.toString("latin1")}\n# not UTF-8\uFFFD\n`

/** Another text for other bytes: the name of the environment has its digest. */
const textOf = (file: string) =>
  Effect.orElseSucceed(Effect.map(readPlain(file), (bytes) => bytes && exactText(bytes)), () => undefined)

/** The nearest directory above all of these. */
const commonFolder = (folders: ReadonlyArray<string>): string => {
  let common = folders[0] ?? "/"
  while (!folders.every((folder) => isBeneath(folder, common))) common = path.dirname(common)
  return common
}

const readDockerfile = (found: FoundDevContainer, base: BuildPlan["base"]) =>
  Effect.gen(function*() {
    if (base._tag === "image") return undefined
    const file = yield* inProject(found, "build.dockerfile", base.file)
    const context = yield* inProject(found, "build.context", base.context)
    const text = yield* textOf(file)
    return text === undefined
      ? yield* new DevContainerRefused({
        path: found.file,
        detail: `build.dockerfile: "${base.file}" is no file of at most 256 KiB`
      })
      : { file, context, text }
  })

/** Finds what a plan names, all of it in the project, and reads the files that decide what is built. */
export const readInputs = (
  found: FoundDevContainer,
  { base, features }: BuildPlan
): Effect.Effect<DevContainerInputs, DevContainerRefused> =>
  Effect.gen(function*() {
    const local = features.filter(({ id }) => isLocal(id))
    const folders = yield* Effect.forEach(local, ({ id }) =>
      Effect.map(inProject(found, "features", id), (folder) => ({ id, folder })))
    const dockerfile = yield* readDockerfile(found, base)
    const read = [
      ...folders.map(({ folder }) =>
        folder
      ),
      ...(dockerfile === undefined ? [] : [dockerfile.context, path.dirname(dockerfile.file)])
    ]
    const seed = read.length === 0 ? undefined : commonFolder(read)
    const inSeed = (real: string) => path.relative(seed ?? "/", real)
    return {
      seed,
      dockerfile: dockerfile === undefined
        ? undefined
        : { file: inSeed(dockerfile.file), context: inSeed(dockerfile.context), text: dockerfile.text },
      folders: yield* Effect.forEach(folders, ({ folder, id }) =>
        Effect.map(
          Effect.forEach(["devcontainer-feature.json", "install.sh"], (name) => textOf(path.join(folder, name))),
          (files) => ({ id, folder: inSeed(folder), files })
        ))
    }
  })
