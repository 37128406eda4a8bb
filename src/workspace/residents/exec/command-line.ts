import { printable } from "../../../contract/text/printable.ts"

/** Maximum length of a command line in a summary, in characters. */
const COMMAND_LENGTH = 120

/** Maximum number of running commands in a summary. */
export const NAMED_RUNNING = 10

/** A command in one short line. */
export const lineOf = (command: ReadonlyArray<string>): string => {
  const line = printable(command.join(" ")).replace(/\s+/g, " ").trim()
  const characters = [...line]
  return characters.length > COMMAND_LENGTH ? `${characters.slice(0, COMMAND_LENGTH - 1).join("")}…` : line
}
