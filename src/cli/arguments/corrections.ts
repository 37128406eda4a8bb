import { Schema } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import type { CliSurface } from "../../contract/rows/operation.ts"
import { payloadFields } from "../../contract/rows/payload-fields.ts"
import { WorkspaceName } from "../../contract/rows/workspace-field.ts"
import { parseReference, probableReference } from "../../contract/text/image-reference.ts"
import { table } from "../../contract/text/names.ts"
import { typed } from "../../contract/text/printable.ts"
import type { Command } from "../rows/rows.ts"
import { shortPath } from "./aliases.ts"
import type { Route } from "./argv.ts"
import { unknownOption } from "./closest.ts"
import type { Flag } from "./flags.ts"
import { foreignOption, type TypedNames } from "./foreign-words.ts"
import type { BadWord, Defaults } from "./operands.ts"

/** Arguments that may begin with a dash. Names and ids never do. */
const PATHS = ["path", "source_path"]

type Unknown = Extract<BadWord, { readonly _tag: "UnknownFlag" }>

/** The command line of an unknown option. */
interface Around {
  readonly flags: ReadonlyArray<Flag>
  /** The words of the guest's command, if there are any. */
  readonly rest: ReadonlyArray<string> | undefined
  readonly defaults: Defaults
}

const isName = Schema.is(WorkspaceName())
const nameIn = (word: string | undefined) => word !== undefined && isName(word) ? word : undefined

/** The names of a command line, also those after the unknown option. */
const namesIn = ({ args }: CliSurface, { name, operands, others }: Unknown, defaults: Defaults): TypedNames => {
  const at = others.findIndex((word) => word.split("=", 1)[0] === "--name")
  const [, inline] = others[at]?.split("=") ?? []
  return {
    workspace: args[0] === "workspace" ? nameIn(operands[0] ?? defaults["workspace"]) : undefined,
    name: nameIn(name ?? inline ?? others[at < 0 ? others.length : at + 1])
  }
}

/** Error text of an unknown option, with a correction. */
export const wrongOption = (operation: Command, unknown: Unknown, { defaults, flags, rest }: Around): string => {
  const { operands, option, others, word } = unknown
  const { cli } = operation
  const options = flags.map(({ name }) => `--${name}`)
  if (options.includes(option)) return `${option} takes no value`
  const words = operands.length === 0 || rest !== undefined ? [] : [...operands, ...others]
  const near = unknownOption(word, options)
  const command = afterEnvironment(cli, words)
  // These options belong to the guest's program, even if docker has options with these names.
  if (command !== undefined && !near.endsWith("?")) return `${near}; ${command}`
  const foreign = foreignOption(cli.path, option, namesIn(cli, unknown, defaults))
  if (foreign !== undefined) return `no option ${option}. ${foreign}`
  if (near.endsWith("?")) return near
  const hint = afterDefault(cli, words, defaults)
  return near + (hint === undefined ? afterDashes(cli, rest) : `; ${hint}`)
}

const afterDashes = (cli: CliSurface, rest: ReadonlyArray<string> | undefined) => {
  if (cli.rest !== undefined) return rest === undefined ? AFTER[cli.rest] ?? "; the guest's command goes after --" : ""
  return cli.args.some((name) => PATHS.includes(name)) ? "; what begins with a dash and is no option goes after --" : ""
}

/** Hints about words after `--` that are not a guest's command. */
const AFTER = table({
  args: "; the agent's options go after --",
  serve_options: "; options of pyro mcp serve go after --"
})

interface Meant {
  /** The option that takes the word. */
  readonly option: string
  readonly isValue?: (word: string) => boolean
}

const name: Meant = { option: "--name", isValue: (word) => Schema.is(WorkspaceName())(word) }

/** Options whose values people type as an extra word, by operation. */
const MEANT = table<Meant | undefined>({
  "workspace.create": name,
  "workspace.fork": name,
  "workspace.patch.apply": { option: "--patch-file" },
  "workspace.reset": { option: "--snapshot" }
})

/** Error text of a word that no argument takes, with the probable command line. */
export const unexpectedWord = (
  { cli, name }: Command,
  taken: ReadonlyArray<string>,
  [word = "", ...more]: ReadonlyArray<string>
): string => {
  const { path }: CliSurface = cli
  const meant = MEANT[name]
  const hint = meant === undefined || more.length > 0 || meant.isValue?.(word) === false
    ? ""
    : `. A word there is ${meant.option}: ${typed(["pyro", ...shortPath(path), ...taken, meant.option, word])}`
  return `unexpected "${word}"${hint}`
}

/** Users choose any names, but pyro's names are all like debian:12, and names of images have a colon or are a distribution's. */
const looksLikeEnvironment = (word: string) =>
  /^debian|:|^(ubuntu|alpine|fedora|centos|rockylinux|archlinux)[\d.]*$/.test(word)

/** The default environment. */
const DEFAULT = "debian:12"

const looksLikePath = (word: string) => /^(\.{1,2}$|\.{0,2}\/|~)/.test(word)

/** Whether the first word is an environment, and a command follows. */
const runsInEnvironment = ({ args, rest }: CliSurface) => args[0] === "environment" && rest === "command"

/** The correct command line, if `pyro run` took the first word of the guest's command for the environment. */
export const afterEnvironment = (cli: CliSurface, words: ReadonlyArray<string>): string | undefined =>
  !runsInEnvironment(cli) || words[0] === undefined || looksLikeEnvironment(words[0])
    ? undefined
    : `the first word is the environment: ${typed(["pyro", "run", DEFAULT, ...words])}`

/** The correct command line, if pyro took the first word of the guest's command for an argument with a default. */
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
interface Line {
  readonly routed: Route
  readonly rest: ReadonlyArray<string> | undefined
  /** Whether `rest` begins at a `--`. */
  readonly isDashed: boolean
  readonly defaults: Defaults
}

const isTyped = (routed: Route, word: string) => "words" in routed && routed.words.includes(word)

/** Hint for an error about a name. The word may not have been meant as a name. */
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
  const { environment, path, similar } = error
  // The error has similar names. The name of a file is no word of the command line that was meant otherwise.
  if (similar.length > 0 || path !== undefined) return undefined
  const fields = operation === undefined ? [] : payloadFields(operation.payload()).map(({ name }) => name)
  const isSeeded = fields.includes("seed_path")
  if (isSeeded && looksLikePath(environment)) return `Did you mean --seed-path ${typed([environment])}?`
  // The error says how to pull it.
  if (parseReference(environment) !== undefined) return undefined
  if (looksLikeEnvironment(environment) || operation?.name === "env.pull") {
    const image = probableReference(environment)
    return image === undefined
      ? "Add what is missing to an environment of pyro's: pyro env build --help"
      : `An image needs its full reference, such as ${image}`
  }
  if (cli !== undefined && runsInEnvironment(cli) && !isDashed) {
    return afterEnvironment(cli, [environment, ...(rest ?? [])])
  }
  const isNamed = "words" in routed && routed.words.some((word) => /^--name(=|$)/.test(word))
  return isSeeded && fields.includes("name") && !isNamed && Schema.is(WorkspaceName())(environment)
    ? `Did you mean --name ${environment}?`
    : undefined
}
