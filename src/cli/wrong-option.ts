import type { CliSurface } from "../contract/operation.ts"
import { closest } from "./closest.ts"
import type { Command } from "./commands.ts"

/** Arguments that may begin with a dash; names and ids never do. */
const PATHS = ["path", "source_path"]

/** Error text of an unknown option, with a suggestion; `rest` are the words after `--`. */
export const wrongOption = (
  operation: Command,
  word: string,
  options: ReadonlyArray<string>,
  rest: ReadonlyArray<string> | undefined
): string => {
  const [option = word] = word.split("=", 1)
  if (options.includes(option)) return `${option} takes no value`
  const near = closest(option, options)
  const hint = near === undefined ? afterDashes(operation.cli, rest) : `. Did you mean ${near}?`
  return `no option ${word}${hint}`
}

const afterDashes = (cli: CliSurface, rest: ReadonlyArray<string> | undefined) => {
  if (cli.rest !== undefined) return rest === undefined ? "; the guest's command goes after --" : ""
  return cli.args.some((name) => PATHS.includes(name)) ? "; what begins with a dash and is no option goes after --" : ""
}
