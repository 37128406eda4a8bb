import type { CliSurface } from "../contract/operation.ts"
import { closest } from "./closest.ts"
import type { Command } from "./commands.ts"

/** Arguments that may begin with a dash; names and ids never do. */
const PATHS = ["path", "source_path"]

/** Options with which a command removes or overwrites more than without. */
const ENDS = [
  "--all",
  "--clear-label",
  "--clear-name",
  "--clear-secret",
  "--clear-secret-http",
  "--delete",
  "--force",
  "--overwrite",
  "--replace",
  "--yes"
]

/** Error text of an unknown option, with a suggestion; `rest` are the words after `--`. */
export const wrongOption = (
  operation: Command,
  word: string,
  options: ReadonlyArray<string>,
  rest: ReadonlyArray<string> | undefined
): string => {
  const [option = word] = word.split("=", 1)
  if (options.includes(option)) return `${option} takes no value`
  const near = unknownOption(word, options)
  return near.endsWith("?") ? near : near + afterDashes(operation.cli, rest)
}

/** Names the option, and the one that was meant, if any. */
export const unknownOption = (word: string, options: ReadonlyArray<string>): string => {
  const near = closest(word.split("=", 1)[0] ?? word, options, (one) => ENDS.includes(one))
  return `no option ${word}${near === undefined ? "" : `. Did you mean ${near}?`}`
}

const afterDashes = (cli: CliSurface, rest: ReadonlyArray<string> | undefined) => {
  if (cli.rest !== undefined) return rest === undefined ? "; the guest's command goes after --" : ""
  return cli.args.some((name) => PATHS.includes(name)) ? "; what begins with a dash and is no option goes after --" : ""
}
