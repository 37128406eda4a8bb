/**
 * What a model does next after an error, in order of preference: sentences, each with the tools that it needs. A server shows the first
 * sentence whose tools it has, or "ask the user". People read the next command of `pyro` in the error's message.
 */
export type ToolSteps = string | ReadonlyArray<string>

/** Without the tool, a model must not reset the workspace instead. */
export const start = [
  "call workspace_start: the files are kept. workspace_reset discards the files",
  "ask the user to start the workspace: the files are kept. workspace_reset discards the files",
  "ask the user to start the workspace: the files are kept"
] as const

/** After a microVM that may have ended. */
export const gone: ToolSteps = [
  "call workspace_status; if the microVM is gone, call workspace_start: the files are kept. workspace_reset discards the files",
  "call workspace_status; if the microVM is gone, ask the user to start the workspace: the files are kept. workspace_reset discards the files",
  ...start.slice(1)
]

/** After a command that did not start. */
export const nothingRan: ToolSteps = [
  "nothing ran, so another call is safe; if system files are broken, call workspace_reset, which discards all changes",
  "nothing ran, so another call is safe"
]

/** After an error of the host. */
export const usersHost: ToolSteps = "only the user can fix this, on the host"

/** After a request that the host has no room for, of which `fits` would fit. */
export const makeRoom = (fits: number | undefined): ToolSteps => {
  const less = fits === undefined || fits === 0 ? "ask for less" : `call again with count ${fits}`
  return [
    `${less}, or delete unneeded workspaces (workspace_list, workspace_delete)`,
    `${less}, or ask the user to make room`
  ]
}
