import { Effect } from "effect"
import * as path from "node:path"
import { DevContainerRefused } from "../../contract/errors/errors.ts"
import { strictText } from "../../contract/text/utf8.ts"
import { exists, listIfPresent } from "../../system/files/entries.ts"
import { attempt, type FileFailed } from "../../system/files/failure.ts"
import { isBeneath, isDirectory, realPath } from "../../system/files/host-path.ts"
import { readBounded } from "./model/host-files.ts"

/** Maximum bytes of a devcontainer.json, and of a Dockerfile. */
const MAX_BYTES = 262_144

/** Maximum folders of `.devcontainer` that pyro looks into. */
const MOST_FOLDERS = 256

/** A devcontainer.json of a project. */
export interface FoundDevContainer {
  /** Real path of the project's directory. */
  readonly project: string
  readonly file: string
  readonly text: string
}

/** The bytes of a file that no link leads to. Undefined for anything else. */
export const readPlain = (file: string): Effect.Effect<Buffer | undefined, FileFailed> =>
  attempt("read", file, () => readBounded(file, MAX_BYTES))

/** The directory that a devcontainer.json is of: the one with `.devcontainer`, or the file's own. */
const projectOf = (file: string) => {
  const folder = path.dirname(file)
  const parent = path.dirname(folder)
  if (path.basename(folder) === ".devcontainer") return parent
  return path.basename(parent) === ".devcontainer" ? path.dirname(parent) : folder
}

/** The places of the specification, in its order; a folder of `.devcontainer` itself comes last. */
const candidates = (folder: string) =>
  Effect.map(listIfPresent(path.join(folder, ".devcontainer")), (names) => ({
    first: [path.join(folder, ".devcontainer/devcontainer.json"), path.join(folder, ".devcontainer.json")],
    named: names.slice(0, MOST_FOLDERS).sort().map((name) =>
      path.join(folder, ".devcontainer", name, "devcontainer.json")
    ),
    last: [path.join(folder, "devcontainer.json")]
  }))

/** Those of the files that are there. Fails with the first that pyro cannot read, or that a link finds outside of the project. */
const readAll = (given: string, files: ReadonlyArray<string>) =>
  Effect.forEach(files.filter(exists), (file) =>
    Effect.gen(function*() {
      const refuse = (detail: string) => new DevContainerRefused({ path: given, detail: `${file} ${detail}` })
      const project = projectOf(file)
      if (!isBeneath(realPath(file) ?? "/", project)) return yield* refuse("leads out of the project")
      const bytes = yield* Effect.orElseSucceed(readPlain(file), () => undefined)
      if (bytes === undefined) return yield* refuse("is no file of at most 256 KiB that pyro can read")
      const text = strictText(bytes)
      // Editors of Windows begin a file with the mark.
      return text === undefined ? yield* refuse("is not UTF-8") : { project, file, text: text.replace(/^\uFEFF/, "") }
    }))

/** The devcontainer.json of a directory, or the named file. Fails if there is none, or several with a name of their own. */
export const findDevContainer = (given: string): Effect.Effect<FoundDevContainer, DevContainerRefused> =>
  Effect.gen(function*() {
    const real = realPath(given)
    const refuse = (detail: string) => new DevContainerRefused({ path: given, detail })
    if (real === undefined) return yield* refuse("there is no such file or directory")
    if (!isDirectory(real)) {
      const [found] = yield* readAll(given, [real])
      return found ?? (yield* refuse("there is no such file or directory"))
    }
    const { first, last, named } = yield* Effect.orElseSucceed(
      candidates(real),
      () => ({ first: [], named: [], last: [] })
    )
    const [found] = yield* readAll(given, first)
    if (found !== undefined) return found
    const several = yield* readAll(given, named)
    if (several.length > 1) {
      const names = several.map(({ file }) => path.relative(real, file)).join(", ")
      return yield* refuse(`it has several: ${names}. Name one of them`)
    }
    const [other] = several.length === 1 ? several : yield* readAll(given, last)
    return other ?? (yield* refuse("it has no .devcontainer/devcontainer.json and no .devcontainer.json"))
  })

/**
 * The real path of a file or directory that a devcontainer.json names, relative to its own folder. Fails if it is outside of the
 * project: a link in a repository may lead to the keys of the person.
 */
export const inProject = (
  { file, project }: FoundDevContainer,
  property: string,
  named: string
): Effect.Effect<string, DevContainerRefused> => {
  const real = realPath(path.resolve(path.dirname(file), named))
  return real === undefined
    ? Effect.fail(new DevContainerRefused({ path: file, detail: `${property}: "${named}" is not there` }))
    : isBeneath(real, project)
    ? Effect.succeed(real)
    : Effect.fail(new DevContainerRefused({ path: file, detail: `${property}: "${named}" leads out of the project` }))
}
