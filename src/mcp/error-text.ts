import { Cause, Option } from "effect"
import { type PyroError } from "../contract/errors/errors.ts"
import { printable } from "../contract/text/printable.ts"
import type { Project } from "../sdk/project.ts"
import { nextText, type StepContext } from "./next-text.ts"

/** A server shows a model the workspaces of its own project, unless the user allows more. */
const HIDDEN = "Workspaces of other projects are hidden"

/** What a model does next. `all`: the server reaches the workspaces of every project. */
const hintOf = (error: PyroError, tool: StepContext, all: boolean): string =>
  error._tag === "WorkspaceNotFound" && !all ? `${nextText(error.next, tool)}. ${HIDDEN}` : nextText(error.next, tool)

/** Maximum characters of an error: hosts cut longer texts at a place of their own. */
const MAX_CHARACTERS = 2_000

const cut = (text: string) => text.length <= MAX_CHARACTERS ? text : `${text.slice(0, MAX_CHARACTERS - 12)} [… cut]`

const textOf = (code: string, message: string, hint: string) => `${code}: ${cut(printable(message))}\nhint: ${hint}`

/** The tool that failed, and its project. */
interface FailureContext extends StepContext {
  readonly project?: Project
}

/** The text of a failed call: stable code, fact, and next call. */
export const errorText = (cause: Cause.Cause<PyroError>, tool: FailureContext = { args: [] }): string => {
  const failure = Cause.findErrorOption(cause)
  if (Option.isSome(failure)) {
    const error = failure.value
    const all = tool.project?.allWorkspaces ?? false
    return textOf(error.code, error.fact, hintOf(error, tool, all))
  }
  if (Cause.hasInterruptsOnly(cause)) return textOf("interrupted", "the call was cancelled", "call again")
  const [first = ""] = Cause.pretty(cause).split("\n", 1)
  return textOf(
    "internal_error",
    `a defect of pyro itself: ${first}`,
    "tell the user; the server's log has the details"
  )
}
