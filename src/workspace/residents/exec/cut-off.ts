import { type PyroError, WorkspaceNotReady } from "../../../contract/errors/errors.ts"

/** Error for a caller whose command is paused with its workspace. The error has the id of the command, so that the caller can follow the command later. */
export const cutOff = (why: PyroError, execId: string): PyroError =>
  why._tag === "WorkspaceNotReady"
    ? new WorkspaceNotReady({ workspace: why.workspace, state: why.state, detail: why.detail, execId })
    : why
