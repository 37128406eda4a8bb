import { WorkspaceNotReady } from "../../../contract/errors/errors.ts"
import type { GuestLost } from "../../entry/resident.ts"

/** Error for a caller whose command is paused with its workspace. The error has the id of the command, so that the caller can follow the command later. */
export const cutOff = (why: GuestLost, execId: string): GuestLost =>
  why._tag === "WorkspaceNotReady"
    ? new WorkspaceNotReady({ workspace: why.workspace, state: why.state, detail: why.detail, execId })
    : why
