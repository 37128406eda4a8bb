import { type PyroError, WorkspaceNotReady } from "../../../contract/errors/errors.ts"

/** The error of a caller whose command stands still in a paused workspace: it has the id by which the caller finds the command again. */
export const cutOff = (why: PyroError, execId: string): PyroError =>
  why._tag === "WorkspaceNotReady"
    ? new WorkspaceNotReady({ workspace: why.workspace, state: why.state, detail: why.detail, execId })
    : why
