import { Result, Schema } from "effect"
import { parse, type ParseError, printParseErrorCode } from "jsonc-parser"
import { firstIssue } from "../../../contract/errors/issue.ts"
import { byName } from "../../../contract/text/names.ts"

/**
 * A devcontainer.json, as the Development Container specification (containers.dev/implementors/json_reference) has it. A repository wrote
 * it, and an image's label has parts of it, so every text and every list has a maximum.
 */

const MOST_ENTRIES = 256
const MOST_CHARACTERS = 16_384

const text = Schema.String.pipe(Schema.check(
  Schema.isMaxLength(MOST_CHARACTERS),
  Schema.makeFilter((value) => !value.includes("\0"), { message: "must not contain a NUL byte" })
))
const few = Schema.isMaxLength(MOST_ENTRIES)
const texts = Schema.Array(text).pipe(Schema.check(few))
const names = <A, I>(value: Schema.Codec<A, I>) =>
  byName(value).check(
    Schema.makeFilter((all) => Object.keys(all).length <= MOST_ENTRIES, {
      message: `must have at most ${MOST_ENTRIES} entries`
    })
  )
const { optional } = Schema
const scalar = Schema.Union([text, Schema.Boolean, Schema.Number])

const OneCommand = Schema.Union([text, texts])
/** A text for a shell, the words of a program, or several of both by name, which run at the same time. */
const Lifecycle = Schema.Union([text, texts, names(OneCommand)])
export type Lifecycle = typeof Lifecycle.Type

/** Properties that an image's label may have as well. */
const shared = {
  remoteUser: optional(text),
  containerUser: optional(text),
  containerEnv: optional(names(text)),
  remoteEnv: optional(names(Schema.NullOr(text))),
  onCreateCommand: optional(Lifecycle),
  updateContentCommand: optional(Lifecycle),
  postCreateCommand: optional(Lifecycle),
  postStartCommand: optional(Lifecycle),
  postAttachCommand: optional(Lifecycle),
  forwardPorts: optional(Schema.Array(Schema.Union([Schema.Int, text])).pipe(Schema.check(few))),
  hostRequirements: optional(Schema.Struct({
    cpus: optional(Schema.Number),
    memory: optional(text),
    storage: optional(text),
    gpu: optional(Schema.Unknown)
  })),
  entrypoint: optional(text),
  mounts: optional(Schema.Array(Schema.Unknown).pipe(Schema.check(few))),
  privileged: optional(Schema.Boolean),
  init: optional(Schema.Boolean),
  capAdd: optional(texts),
  securityOpt: optional(texts)
}

/** One part of the label `devcontainer.metadata`: of a base image, or of a feature. */
export const Metadata = Schema.Struct(shared)
export type Metadata = typeof Metadata.Type

const Arguments = names(text)

export const File = Schema.Struct({
  ...shared,
  image: optional(text),
  build: optional(Schema.Struct({
    dockerfile: optional(text),
    context: optional(text),
    target: optional(text),
    args: optional(Arguments),
    options: optional(texts),
    cacheFrom: optional(Schema.Union([text, texts]))
  })),
  // The older form of `build`.
  dockerFile: optional(text),
  context: optional(text),
  dockerComposeFile: optional(Schema.Union([text, texts])),
  features: optional(names(Schema.Union([text, Schema.Boolean, names(scalar)]))),
  overrideFeatureInstallOrder: optional(texts),
  workspaceFolder: optional(text),
  workspaceMount: optional(text),
  initializeCommand: optional(Lifecycle),
  runArgs: optional(texts),
  appPort: optional(Schema.Unknown),
  overrideCommand: optional(Schema.Boolean),
  secrets: optional(Schema.Unknown)
})
export type File = typeof File.Type

/** Properties that have nothing to do with a workspace: settings of editors, and how long a container lives. */
const SILENT = [
  "$schema",
  "name",
  "customizations",
  "extensions",
  "settings",
  "devPort",
  "portsAttributes",
  "otherPortsAttributes",
  "shutdownAction",
  "waitFor",
  "userEnvProbe",
  "updateRemoteUserUID",
  "service",
  "runServices"
]

const known = new Set([...Object.keys(File.fields), ...SILENT])

export interface ReadFile {
  readonly file: File
  /** Names of properties that the specification does not have. */
  readonly unknown: ReadonlyArray<string>
}

const decode = Schema.decodeUnknownResult(File)

/** Reads JSON with comments and trailing commas. The failure is a sentence. */
export const readFile = (content: string): Result.Result<ReadFile, string> => {
  const errors: Array<ParseError> = []
  let value: unknown
  try {
    value = parse(content, errors, { allowTrailingComma: true })
  } catch {
    // The parser calls itself for each level.
    return Result.fail("it has too many levels")
  }
  const [first] = errors
  if (first !== undefined) {
    const line = content.slice(0, first.offset).split("\n").length
    return Result.fail(`it is no JSON: ${printParseErrorCode(first.error)} in line ${line}`)
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return Result.fail("it is no JSON object")
  const unknown = Object.keys(value).filter((name) => !known.has(name)).slice(0, 20)
  return Result.mapBoth(decode(value), {
    onSuccess: (file) => ({ file, unknown }),
    onFailure: (error) => {
      const { message, path } = firstIssue(error)
      return `${path.map(String).join(".")}: ${message}`.slice(0, 1000)
    }
  })
}

/** The features that a devcontainer-feature.json depends on. None for a file that cannot be read: the build says why. */
export const dependenciesOf = (content: string): ReadonlyArray<string> => {
  try {
    const value: unknown = parse(content, [], { allowTrailingComma: true })
    const { dependsOn } = Object(value) as { readonly dependsOn?: unknown }
    return Object.keys(Object(dependsOn)).slice(0, MOST_ENTRIES)
  } catch {
    return []
  }
}
