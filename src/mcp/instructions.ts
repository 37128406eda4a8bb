import { type Mode, modeOf } from "../contract/rows/modes.ts"
import { ceilingText, noNetwork } from "../contract/rows/network-ceiling.ts"
import { secretTargetOf } from "../contract/rows/secret-target.ts"
import { shownRepository } from "../contract/text/public-url.ts"
import type { Project } from "../sdk/project.ts"
import type { SelectionName } from "./profile.ts"

/** The project in the server's instructions. */
type NamedProject = Pick<
  Project,
  | "path"
  | "session"
  | "awaitsRoot"
  | "repoUrl"
  | "repoRef"
  | "environment"
  | "workspaceUser"
  | "networkCeiling"
  | "secrets"
  | "secretHttp"
  | "secretCommands"
>

/** Longest directory of a session that the instructions quote, in characters. */
const MAX_SESSION_CHARACTERS = 200

/** Place of the user's directory in a workspace, if it is a part of the project. */
const sessionText = ({ repoUrl, session }: NamedProject): string =>
  session === undefined || repoUrl !== undefined || session.length > MAX_SESSION_CHARACTERS
    ? ""
    : ` The user's directory is ${session}, in a workspace /workspace/${session}.`

const boundTo = (project: NamedProject): string =>
  project.awaitsRoot === true
    ? "No project is bound yet: the client's first root becomes it at the first call, and host paths are relative to it. Without a root, " +
      "/workspace starts empty, and no path of the host can be named."
    : project.path === undefined && project.repoUrl === undefined
    ? "No project is bound: /workspace starts empty, and no path of the host can be named."
    : `Bound project: ${project.repoUrl === undefined ? project.path : shownRepository(project.repoUrl)}${
      project.repoRef === undefined ? "" : ` at ${project.repoRef}`
    }.` +
      (project.path === undefined ? "" : " Host paths are relative to it and cannot leave it.") +
      sessionText(project) +
      (project.environment === undefined ? "" : ` Default environment: ${project.environment}.`) +
      (project.workspaceUser === "agent" ? " Commands run as the user agent, who owns /workspace." : "")

/** Longest ceiling that the instructions quote, in characters. */
const MAX_CEILING_CHARACTERS = 100

/** Whether a tool has an argument. Profiles have every one that these texts name. */
const has = (mode: Mode | undefined, tool: string, argument: string): boolean =>
  mode === undefined || mode.tools[tool]?.arguments.includes(argument) === true

const networkText = ({ networkCeiling = noNetwork }: NamedProject, mode: Mode | undefined): string => {
  if (networkCeiling.networkPolicy === "off") return ""
  const text = ceilingText(networkCeiling)
  const shown = text.length <= MAX_CEILING_CHARACTERS ? text : `${text.slice(0, MAX_CEILING_CHARACTERS - 1)}…`
  const ways = has(mode, "workspace_create", "network_policy") ? "allow_hosts or network_policy" : "allow_hosts"
  return ` A VM has no network unless you ask with ${ways}; the most that you may ask for is ${shown}.`
}

/** Names of the secrets. A model needs no value. */
const secretsText = (
  { secretCommands = [], secretHttp = [], secrets = {} }: NamedProject,
  mode: Mode | undefined
): string => {
  const targets = secretHttp.flatMap((item) => secretTargetOf(item) ?? [])
  const hidden = targets.map(({ host, name }) =>
    ` The variable ${name} is a placeholder: HTTPS requests to ${host} get the secret in its place.`
  )
  const others = Object.keys(secrets).filter((name) =>
    secretCommands.includes(name) || !targets.some((target) => target.name === name)
  )
  return (others.length === 0 || !has(mode, "workspace_exec", "secret_env")
    ? ""
    : ` Secrets for secret_env: ${others.join(", ")}.`) + hidden.join("")
}

const workspaces = [
  "A workspace is a disposable Linux VM (root, no network) whose /workspace starts as a copy of the user's project. It stays, over many " +
  "commands, until it is deleted; it cannot change the host.",
  "Work like this: workspace_create once; then workspace_exec to build and test, workspace_file_read, workspace_file_edit and " +
  "workspace_patch_apply to change files; workspace_diff to see your changes; workspace_export (patch: true) to deliver them. Only " +
  "workspace_export writes to the host.",
  "Use one workspace for a task and keep its workspace_id. Try anything: when it is broken, workspace_reset is quicker than repairing, and before: \"1\" undoes the last " +
  "command alone (export first what you want to keep). workspace_sync_push brings in what the user changed meanwhile. workspace_delete when done.",
  "A command that takes long: workspace_exec answers state \"running\" after wait_seconds and the command goes on; come back with " +
  "exec_id and next_cursor. A non-zero exit status is a result, not an error."
]

/** For profiles with services. */
const services = "A server or watcher that is to stay: service_start returns when it is ready, and it goes on in forks."

const oneShot = [
  "vm_run runs one command in a fresh Linux VM (root, no network) that is discarded afterwards. /workspace holds a copy of seed_path. " +
  "It cannot change the host; print what you want to keep. A non-zero exit status is a result, not an error."
]

const ofProfile = (name: SelectionName): ReadonlyArray<string> => [
  ...(name === "vm-run" ? oneShot : workspaces),
  ...(name === "workspace-full" ? [services] : [])
]

/** The server's instructions. Some hosts show them before they load a tool. */
export const instructionsOf = (selection: SelectionName, project: NamedProject): string => {
  const mode = modeOf(selection)
  return [
    ...(mode?.instructions ?? ofProfile(selection)),
    boundTo(project) + networkText(project, mode) + secretsText(project, mode)
  ].join("\n")
}
