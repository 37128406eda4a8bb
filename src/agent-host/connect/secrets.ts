import { Effect } from "effect"
import { InvalidRequest } from "../../contract/errors/errors.ts"
import type { AgentHost, Place, Server } from "../hosts/agent-host.ts"
import { neededVariables } from "./entries.ts"

/** The host would start no server whose secret it keeps for itself. */
export const checkSecrets = ({ title, withholds = [] }: AgentHost, { args }: Server) => {
  const withheld = neededVariables(args).find((name) => withholds.includes(name))
  return withheld === undefined ? Effect.void : new InvalidRequest({
    field: "--secret-env",
    detail:
      `${title} gives ${withheld} to no server; use a variable of another name, or a file: --secret-file ${withheld}=PATH`
  })
}

/** What a person must know about the variables of the server's secrets. */
export const secretNotes = ({ title }: AgentHost, { args }: Server, { variable }: Place) => {
  const unset = neededVariables(args).filter((name) => variable(name) === undefined)
  return unset.length === 0
    ? []
    : [
      `${title} needs the variable ${
        unset.join(" and ")
      }, which is not set here. Without it pyro's server does not start`
    ]
}
