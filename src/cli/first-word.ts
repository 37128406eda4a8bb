import { Schema } from "effect"
import type { CliSurface } from "../contract/operation.ts"
import { WorkspaceName } from "../contract/operations/workspace-field.ts"
import { typed } from "../contract/shell-words.ts"
import type { Route } from "./argv.ts"

/** Names of the user's own may be any, but pyro's are all like debian:12. */
const looksLikeEnvironment = (word: string) => /^debian|:/.test(word)

/** The command line that was meant, if `pyro run` took the first word of the guest's command for the environment. */
export const afterEnvironment = ({ args }: CliSurface, words: ReadonlyArray<string>): string | undefined =>
  args[0] !== "environment" || words[0] === undefined || looksLikeEnvironment(words[0])
    ? undefined
    : `the first word is the environment: ${typed(["pyro", "run", "debian:12", "--", ...words])}`

/** Suggestion for an operand that is no environment. */
export const environmentHint = (
  routed: Route,
  rest: ReadonlyArray<string> | undefined,
  environment: string
): string | undefined => {
  const operation = routed._tag === "Operation" ? routed.operation : undefined
  const cli: CliSurface | undefined = operation?.cli
  if (cli?.stdin === "always" && rest === undefined) return afterEnvironment(cli, [environment])
  const isNamed = "words" in routed && routed.words.some((word) => /^--name(=|$)/.test(word))
  return operation?.name === "workspace.create" && !isNamed && !looksLikeEnvironment(environment) &&
      Schema.is(WorkspaceName())(environment)
    ? `Did you mean --name ${environment}?`
    : undefined
}
