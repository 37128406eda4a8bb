import { Schema } from "effect"
import type { PyroError } from "../contract/errors/errors.ts"
import type { CliSurface } from "../contract/rows/operation.ts"
import { payloadFields } from "../contract/rows/payload-fields.ts"
import { WorkspaceName } from "../contract/rows/workspace-field.ts"
import { typed } from "../contract/text/printable.ts"
import type { Route } from "./argv.ts"
import { closest } from "./closest.ts"
import type { Defaults } from "./positional.ts"
import { shortPath } from "./short-path.ts"

/** Names of the user's own may be any, but pyro's are all like debian:12, and those of images have a colon or are a distribution's. */
const looksLikeEnvironment = (word: string) =>
  /^debian|:|^(ubuntu|alpine|fedora|centos|rockylinux|archlinux)[\d.]*$/.test(word)

/** The environment of commands that name none. */
const DEFAULT = "debian:12"

const looksLikePath = (word: string) => /^(\.{1,2}$|\.{0,2}\/|~)/.test(word)

/** Whether the first word is an environment, and a command follows. */
const runsInEnvironment = ({ args, rest }: CliSurface) => args[0] === "environment" && rest === "command"

/** The command line that was meant, if `pyro run` took the first word of the guest's command for the environment. */
export const afterEnvironment = (cli: CliSurface, words: ReadonlyArray<string>): string | undefined =>
  !runsInEnvironment(cli) || words[0] === undefined || looksLikeEnvironment(words[0])
    ? undefined
    : `the first word is the environment: ${typed(["pyro", "run", DEFAULT, ...words])}`

/** The command line that was meant, if the first word of the guest's command took the place of an argument that has a default. */
export const afterDefault = (
  { args, path, rest }: CliSurface,
  words: ReadonlyArray<string>,
  defaults: Defaults
): string | undefined => {
  if (rest === undefined || args[0] !== "workspace" || defaults["workspace"] === undefined) return undefined
  const command = words.slice(args.length - 1)
  return command.length === 0
    ? undefined
    : `PYRO_WORKSPACE names the workspace: ${
      typed(["pyro", ...shortPath(path), ...words.slice(0, args.length - 1), "--", ...command])
    }`
}

/** A command line whose failure may come from a word in the wrong place. */
export interface Line {
  readonly routed: Route
  readonly rest: ReadonlyArray<string> | undefined
  /** Whether `rest` begins at a `--`. */
  readonly isDashed: boolean
  readonly defaults: Defaults
}

const isTyped = (routed: Route, word: string) => "words" in routed && routed.words.includes(word)

/** What is said beside an error about a name that was perhaps none. */
export const nameHint = ({ defaults, isDashed, rest, routed }: Line, error: PyroError): string | undefined => {
  const operation = routed._tag === "Operation" ? routed.operation : undefined
  const cli: CliSurface | undefined = operation?.cli
  if (error._tag === "WorkspaceNotFound") {
    const command = isDashed || cli?.args.length !== 1
      ? undefined
      : afterDefault(cli, [error.workspace, ...(rest ?? [])], defaults)
    return error.workspace === defaults["workspace"] && !isTyped(routed, error.workspace)
      ? `"${error.workspace}" is named by PYRO_WORKSPACE`
      : command
  }
  if (error._tag !== "EnvironmentUnknown") return undefined
  const { environment, known } = error
  const near = nearEnvironment(environment, known)
  if (near !== undefined) return `Did you mean ${near}?`
  const fields = operation === undefined ? [] : payloadFields(operation.payload()).map(({ name }) => name)
  const isSeeded = fields.includes("seed_path")
  if (isSeeded && looksLikePath(environment)) return `Did you mean --seed-path ${typed([environment])}?`
  if (looksLikeEnvironment(environment)) {
    return "pyro runs no images of a registry. Add what is missing to an environment of pyro's: pyro env build --help"
  }
  if (cli !== undefined && runsInEnvironment(cli) && !isDashed) {
    return afterEnvironment(cli, [environment, ...(rest ?? [])])
  }
  const isNamed = "words" in routed && routed.words.some((word) => /^--name(=|$)/.test(word))
  return isSeeded && fields.includes("name") && !isNamed && Schema.is(WorkspaceName())(environment)
    ? `Did you mean --name ${environment}?`
    : undefined
}

/** The environment that a name without its colon or its version stands for, or a misspelled one. */
const nearEnvironment = (word: string, known: ReadonlyArray<string>): string | undefined => {
  const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, "")
  return known.find((name) => plain(name) === plain(word)) ??
    (looksLikeEnvironment(word) ? closest(word, known, () => false) : undefined) ??
    (word.startsWith("debian") ? DEFAULT : undefined)
}
