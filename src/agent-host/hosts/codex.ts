import * as path from "node:path"
import { named } from "../../contract/text/names.ts"
import { variables } from "../../system/settings/variables.ts"
import { at, type Change } from "../format/document.ts"
import {
  type AgentHost,
  commandLine,
  configFiles,
  envOf,
  neededVariables,
  type Place,
  sharedSkills,
  variablesOf
} from "./agent-host.ts"

/** Variables that Codex gives to every server. */
const PASSED = ["HOME", "LOGNAME", "PATH", "SHELL", "USER", "LANG", "LC_ALL", "TERM", "TMPDIR", "TZ"]

/** The other variables of Codex's environment that pyro and its daemon read. */
const envVars = [
  ...Object.entries(variables).flatMap(([name, { group }]) =>
    group === "pyro" && name !== "PYRO_WORKSPACE" ? [name] : []
  ),
  "XDG_STATE_HOME",
  "XDG_CACHE_HOME",
  ...["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"].flatMap((name) => [name, name.toLowerCase()])
]

const userFile = ({ home, variable }: Place) =>
  path.join(variable("CODEX_HOME") ?? path.join(home, ".codex"), "config.toml")

/** Codex: servers and approvals in config.toml. A project's file counts once the project is trusted. */
export const codex: AgentHost = {
  name: "codex",
  title: "Codex",
  program: "codex",
  config: configFiles("toml", [".codex", "config.toml"], userFile),
  servers: ["mcp_servers"],
  entry: (server, scope) => ({
    command: server.command,
    args: server.args,
    env_vars: [...new Set([...envVars, ...neededVariables(server.args)])],
    startup_timeout_sec: 30,
    tool_timeout_sec: 600,
    // Codex waits one second for a server that is not required, and then starts without its tools. People without pyro may also read a
    // project's file, and their Codex would not start.
    ...(scope === "user" ? { required: true } : {}),
    ...envOf(server)
  }),
  commandOf: commandLine,
  // Codex also reads $CODEX_HOME/skills, which its source calls deprecated.
  skills: sharedSkills(),
  environment: (own, entry) => {
    const listed = at(entry, ["env_vars"])
    const passed = new Set<unknown>([...PASSED, ...(Array.isArray(listed) ? listed : [])])
    return named([...Object.entries(own).filter(([name]) => passed.has(name)), ...Object.entries(variablesOf(entry))])
  },
  trust: (place) => ({
    file: { path: userFile(place), format: "toml" },
    isTrusted: (value) => at(value, ["projects", place.project, "trust_level"]) === "trusted",
    fix: `run codex in ${place.project}, and trust the directory`
  }),
  approvals: ({ approve, config, entry, scope, tools: { asked } }) => ({
    files: [{
      ...config,
      changes: [
        approve === "none"
          ? { _tag: "remove", path: [...entry, "default_tools_approval_mode"] }
          : { _tag: "set", path: [...entry, "default_tools_approval_mode"], value: "approve" },
        ...asked.map((name): Change =>
          approve === "safe"
            ? { _tag: "set", path: [...entry, "tools", name, "approval_mode"], value: "prompt" }
            : { _tag: "remove", path: [...entry, "tools", name, "approval_mode"] }
        )
      ]
    }],
    notes: [
      ...(scope === "project"
        ? ["Codex reads a project's .codex/config.toml once you trust the project: run codex there"]
        : []),
      ...(approve === "safe" && asked.length > 0
        ? [`codex exec cannot ask, so it refuses ${asked.join(" and ")}. To allow them: --approve all`]
        : [])
    ]
  })
}
