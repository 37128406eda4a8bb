import type { Texts } from "../../contract/errors/contract-error.ts"
import type { CliSurface } from "../../contract/rows/operation.ts"
import { commands } from "../rows/rows.ts"
import { unaliased } from "./aliases.ts"

/** Commands of lower-case words before the word that stands for a workspace. */
const COMMAND = /\bpyro ((?:[a-z-]+ )+)NAME\b/g

const surfaceOf = (path: ReadonlyArray<string>): CliSurface | undefined =>
  commands.find(({ cli }) => cli.path.join(" ") === path.join(" "))?.cli

const takesWorkspace = (words: ReadonlyArray<string>): boolean => {
  const [first = "", ...rest] = words
  const short = unaliased([], first, (path) => surfaceOf([...path, ...rest]) !== undefined)
  const args = (surfaceOf(words) ?? surfaceOf([...short ?? [], ...rest]))?.args
  return args?.[0]?.startsWith("workspace") === true
}

const withName = (text: string, workspace: string) =>
  text.replace(
    COMMAND,
    (whole, words: string) => takesWorkspace(words.trim().split(" ")) ? `pyro ${words}${workspace}` : whole
  )

/** The message of an error, with the workspace that the person named in the commands to type next. The fact may quote a guest. */
export const messageFor = (
  { fact, message }: Texts & { readonly message: string },
  workspace: string | undefined
): string => {
  if (workspace === undefined) return message
  return message.startsWith(fact)
    ? fact + withName(message.slice(fact.length), workspace)
    : withName(message, workspace)
}
