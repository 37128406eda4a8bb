import { Effect, Result, Schema } from "effect"
import * as path from "node:path"
import { parse as parseToml, type TomlError } from "smol-toml"
import { InvalidRequest, ProjectFileInvalid, ProjectFileMissing } from "../contract/errors/errors.ts"
import { firstIssue } from "../contract/errors/issue.ts"
import { similarTo } from "../contract/text/similar.ts"
import { strictText } from "../contract/text/utf8.ts"
import { openUnfollowed, readRegular } from "../system/files/content.ts"
import { exists } from "../system/files/entries.ts"
import { isMissing } from "../system/files/failure.ts"
import {
  canBeProject,
  mayHaveProjectFile,
  PACKAGE_FILE,
  packageValue,
  PROJECT_FILE,
  projectAround,
  realDirectory
} from "../system/files/host-path.ts"
import { Definition } from "./definition.ts"
import { lineOf } from "./line-of.ts"

/** Maximum bytes of a project's file. The rest of a package.json is not pyro's. */
const MAX_BYTES = { [PROJECT_FILE]: 65_536, [PACKAGE_FILE]: 1_048_576 } as const

/** A project's file, read. */
export interface ProjectFile {
  /** Real path of the project's directory. */
  readonly directory: string
  /** Path of the file. */
  readonly path: string
  readonly definition: Definition
}

/** The project's file in a directory. Undefined if the directory has none. */
export const readProjectIn = (directory: string): Effect.Effect<ProjectFile | undefined, ProjectFileInvalid> =>
  Effect.gen(function*() {
    const tomlPath = path.join(directory, PROJECT_FILE)
    const toml = yield* textOf(tomlPath, MAX_BYTES[PROJECT_FILE])
    if (toml !== undefined) {
      const value = yield* Effect.fromResult(fromToml(tomlPath, toml))
      return { directory, path: tomlPath, definition: yield* decoded(tomlPath, value, { toml }) }
    }
    const packagePath = path.join(directory, PACKAGE_FILE)
    const json = yield* textOf(packagePath, MAX_BYTES[PACKAGE_FILE]).pipe(
      // A package.json that pyro cannot read says nothing to pyro, unless it has a value for pyro.
      Effect.catch((failure) => mayHaveProjectFile(directory) ? failure : Effect.succeed(undefined))
    )
    const value = json === undefined ? undefined : packageValue(json)
    if (value === undefined) return undefined
    return { directory, path: packagePath, definition: yield* decoded(packagePath, value, { within: ["pyro"] }) }
  })

/**
 * The project of a directory: the directory's own, if it is named. Else the nearest one, from the working directory to the root of its git
 * work tree.
 */
export const findProject = (named: string | undefined, cwd: string) =>
  Effect.gen(function*() {
    const start = realDirectory(named ?? cwd)
    if (start === undefined || !canBeProject(start)) {
      return yield* new InvalidRequest({
        field: "directory",
        detail: `${named ?? cwd} is no project; name the directory of one`
      })
    }
    const last = named === undefined ? projectAround(start) ?? start : start
    for (let at = start;; at = path.dirname(at)) {
      const found = yield* readProjectIn(at)
      if (found !== undefined) return found
      if (at === last || at === path.dirname(at)) return yield* new ProjectFileMissing({ directory: start })
    }
  })

/** The bytes of a file that another user may have put there, as text. Undefined if there is none. */
const textOf = (file: string, maxBytes: number): Effect.Effect<string | undefined, ProjectFileInvalid> =>
  Effect.scoped(Effect.gen(function*() {
    if (!exists(file)) return undefined
    const fd = yield* openUnfollowed(file)
    const bytes = yield* readRegular(fd, file, maxBytes + 1)
    if (bytes === undefined) return yield* new ProjectFileInvalid({ path: file, detail: "it is no regular file" })
    if (bytes.length > maxBytes) {
      return yield* new ProjectFileInvalid({ path: file, detail: `it has more than ${maxBytes / 1024} KiB` })
    }
    return strictText(bytes) ?? (yield* new ProjectFileInvalid({ path: file, detail: "it is not UTF-8" }))
  })).pipe(
    Effect.catchTag("FileFailed", (failure) =>
      isMissing(failure)
        ? Effect.succeed(undefined)
        : new ProjectFileInvalid({
          path: file,
          detail: failure.code === "ELOOP" ? "it is a symbolic link; put the file itself there" : failure.detail
        }))
  )

const fromToml = (file: string, text: string) =>
  Result.try({
    try: (): unknown => parseToml(text, { maxDepth: 32, unsafeKeyBehaviour: "throw" }),
    catch: (cause) => {
      const { line, message } = cause as Partial<TomlError> & Error
      return new ProjectFileInvalid({
        path: file,
        ...(line === undefined ? {} : { line }),
        detail: `it is no TOML (${message.split("\n", 1)[0]!.replace(/^Invalid TOML document: /, "")})`
      })
    }
  })

/** The Schema's sentence about a key that it does not know. */
const unexpected = /^is unexpected, expected: (.*)$/

const decoded = (
  file: string,
  value: unknown,
  { toml, within = [] }: { readonly toml?: string; readonly within?: ReadonlyArray<string> }
) =>
  Schema.decodeUnknownEffect(Definition(), { onExcessProperty: "error", reportInput: true })(value).pipe(
    Effect.mapError((error) => {
      const issue = firstIssue(error)
      const steps = issue.path.map(String)
      const [, known] = unexpected.exec(issue.message) ?? []
      const near = known === undefined
        ? []
        : similarTo(steps.at(-1) ?? "", Array.from(known.matchAll(/"([^"]+)"/g), ([, name]) => name!))
      const line = toml === undefined ? undefined : lineOf(toml, steps)
      return new ProjectFileInvalid({
        path: file,
        ...(line === undefined ? {} : { line }),
        ...(steps.length === 0 ? {} : { key: [...within, ...steps].join(".") }),
        detail: known === undefined
          ? issue.message
          : `there is no such key${near.length === 0 ? "" : `. Did you mean ${near.join(" or ")}?`}`
      })
    })
  )
