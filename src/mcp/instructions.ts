import type { Project } from "../sdk/project.ts"
import type { ProfileName } from "./profile.ts"

/** What a model is told of its project. */
export type NamedProject = Pick<Project, "path" | "repoUrl" | "repoRef" | "environment" | "workspaceUser">

const boundTo = (project: NamedProject): string =>
  project.path === undefined && project.repoUrl === undefined
    ? "No project is bound: /workspace starts empty, and no path of the host can be named."
    : `Bound project: ${project.repoUrl ?? project.path}${
      project.repoRef === undefined ? "" : ` at ${project.repoRef}`
    }.` +
      (project.path === undefined ? "" : " Host paths are relative to it and cannot leave it.") +
      (project.environment === undefined ? "" : ` Default environment: ${project.environment}.`) +
      (project.workspaceUser === "agent" ? " Commands run as the user agent, who owns /workspace." : "")

const workspaces = [
  "A workspace is a disposable Linux VM (root, no network) whose /workspace starts as a copy of the user's project. It stays, over many " +
  "commands, until it is deleted; nothing in it touches the host.",
  "Work in it like this: workspace_create once; then workspace_exec to build and test, workspace_file_read, workspace_file_edit and " +
  "workspace_patch_apply to change files; workspace_diff to see what you changed; workspace_export (patch: true) to hand it over. Files of " +
  "the host change only by workspace_export.",
  "Use one workspace for a task and keep its workspace_id. Try anything: when it is broken, workspace_reset is quicker than repairing " +
  "(export first what you want to keep). workspace_sync_push brings in what the user changed meanwhile. workspace_delete when done.",
  "A command that takes long: workspace_exec answers state \"running\" after wait_seconds and the command goes on; come back with " +
  "exec_id and next_cursor. A non-zero exit status is a result, not an error."
]

const oneShot = [
  "vm_run runs one command in a fresh Linux VM (root, no network) that is thrown away afterwards. /workspace holds a copy of seed_path. " +
  "Nothing in it touches the host; print what you want to keep. A non-zero exit status is a result, not an error."
]

/** What a model is told of the server as a whole: some hosts show it before any tool is loaded. */
export const instructionsOf = (profile: ProfileName, project: NamedProject): string =>
  [...(profile === "vm-run" ? oneShot : workspaces), boundTo(project)].join("\n")
