import type { PyroError } from "../contract/errors/errors.ts"
import { hasToolsOf, type ToolContext } from "./tool-words.ts"

/** For a server that has no tool for the next step. */
const ASK = "ask the user"

/** The next call to make, with tools of the server only. `all` says that the server reaches the workspaces of every project. */
export const hintOf = (error: PyroError, tool: ToolContext, all: boolean): string => {
  const steps = error.toolSteps(all)
  return (typeof steps === "string" ? [steps] : steps).find((one) => hasToolsOf(one, tool)) ?? ASK
}
