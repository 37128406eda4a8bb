import { Schema } from "effect"
import { WorkspaceName } from "../contract/operations/workspace-field.ts"
import { typed } from "../contract/shell-words.ts"
import type { Route } from "./argv.ts"

/** Names of the user's own may be any, but pyro's are all like debian:12. */
const looksLikeEnvironment = (word: string) => /^debian|:/.test(word)

/** How a command is given to `pyro run` that took its first word for the environment; nothing where that looks like one. */
export const afterEnvironment = (words: ReadonlyArray<string>): string | undefined =>
  looksLikeEnvironment(words[0] ?? "")
    ? undefined
    : `the first word is the environment: ${typed(["pyro", "run", "debian:12", "--", ...words])}`

/** What was likely meant by an operand that is no environment. */
export const insteadOfEnvironment = (
  routed: Route,
  rest: ReadonlyArray<string> | undefined,
  environment: string
): string | undefined => {
  const operation = routed._tag === "Operation" ? routed.operation.name : undefined
  if (operation === "run" && rest === undefined) return afterEnvironment([environment])
  const isNamed = "words" in routed && routed.words.some((word) => /^--name(=|$)/.test(word))
  return operation === "workspace.create" && !isNamed && !looksLikeEnvironment(environment) &&
      Schema.is(WorkspaceName())(environment)
    ? `did you mean --name ${environment}?`
    : undefined
}
