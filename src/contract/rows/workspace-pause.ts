import { ofTakingVm, ofWaking } from "./call-errors.ts"
import { streaming } from "./operation.ts"
import { at, waits } from "./states.ts"
import { WorkspaceRef } from "./workspace-field.ts"
import { foldSwitch, SwitchResult, WorkspaceEvent } from "./workspace-lifecycle.ts"

const step = {
  states: at(["running", "paused"], waits),
  on: "entry",
  annotations: { readOnly: false, destructive: false, idempotent: true, openWorld: false },
  payload: WorkspaceRef,
  event: WorkspaceEvent,
  result: SwitchResult,
  fold: foldSwitch
} as const

export const workspacePause = streaming({
  ...step,
  name: "workspace.pause",
  summary: "Pause a workspace: its memory goes to the disk, until the next use",
  description:
    "Writes memory and devices to the state directory and ends the microVM, which frees the host's memory. The next use of the workspace, or `resume`, brings back the " +
    "same processes, shells, services, ports and network grant. Open connections are reset. A command's caller gets an error, and the " +
    "command continues after the resume. A paused workspace stays as it is.",
  cli: { path: ["workspace", "pause"], args: ["workspace"], examples: ["pyro pause fix"] },
  mcp: { missing: "people free the memory of their host; the work of an agent needs no pause" },
  errors: ofTakingVm
})

export const workspaceResume = streaming({
  ...step,
  name: "workspace.resume",
  summary: "Resume a paused workspace with its processes",
  description:
    "Starts a microVM that continues from the memory of the pause. Each operation that needs the microVM does this by itself. " +
    "A running workspace stays as it is. `start --discard-memory` starts a workspace whose memory this host cannot continue.",
  cli: { path: ["workspace", "resume"], args: ["workspace"], examples: ["pyro resume fix"] },
  mcp: { missing: "each tool resumes a paused workspace before its work" },
  errors: ofWaking
})
