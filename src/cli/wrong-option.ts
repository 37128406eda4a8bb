import type { CliSurface } from "../contract/rows/operation.ts"
import { table } from "../contract/text/names.ts"
import type { Command } from "./commands.ts"
import { afterDefault, afterEnvironment } from "./first-word.ts"
import type { Flag } from "./flags.ts"
import { foreignOption } from "./foreign-options.ts"
import type { Defaults } from "./positional.ts"
import { unknownOption } from "./unknown-option.ts"
import type { BadWord } from "./words.ts"

/** Arguments that may begin with a dash; names and ids never do. */
const PATHS = ["path", "source_path"]

type Unknown = Extract<BadWord, { readonly _tag: "UnknownFlag" }>

/** The command line of an unknown option. */
interface Around {
  readonly flags: ReadonlyArray<Flag>
  /** The words of the guest's command, if there are any. */
  readonly rest: ReadonlyArray<string> | undefined
  readonly defaults: Defaults
}

/** Error text of an unknown option, with what was meant. */
export const wrongOption = (operation: Command, unknown: Unknown, { defaults, flags, rest }: Around): string => {
  const { operands, option, others, word } = unknown
  const { cli } = operation
  const options = flags.map(({ name }) => `--${name}`)
  if (options.includes(option)) return `${option} takes no value`
  const words = operands.length === 0 || rest !== undefined ? [] : [...operands, ...others]
  const near = unknownOption(word, options)
  const command = afterEnvironment(cli, words)
  // The options of a guest's program are its own, whatever docker calls by that name.
  if (command !== undefined && !near.endsWith("?")) return `${near}; ${command}`
  const foreign = foreignOption(operation.name, option)
  if (foreign !== undefined) return `no option ${option}. ${foreign}`
  if (near.endsWith("?")) return near
  const hint = afterDefault(cli, words, defaults)
  return near + (hint === undefined ? afterDashes(cli, rest) : `; ${hint}`)
}

const afterDashes = (cli: CliSurface, rest: ReadonlyArray<string> | undefined) => {
  if (cli.rest !== undefined) return rest === undefined ? AFTER[cli.rest] ?? "; the guest's command goes after --" : ""
  return cli.args.some((name) => PATHS.includes(name)) ? "; what begins with a dash and is no option goes after --" : ""
}

/** The words after `--` that are no guest's command. */
const AFTER = table({
  args: "; the agent's options go after --",
  serve_options: "; options of pyro mcp serve go after --"
})
