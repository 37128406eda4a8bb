import * as path from "node:path"
import { named } from "../../contract/text/names.ts"
import { commandLine, envOf, handedOn, neededVariables } from "../connect/entries.ts"
import { at } from "../format/json.ts"
import { type AgentHost, ENTRY, type Place } from "./agent-host.ts"
import { geminiEnvironment } from "./gemini-environment.ts"

const rule = (tools: string, decision: string, priority: number) =>
  `[[rule]]\ntoolName = ${tools}\nmcpName = "${ENTRY}"\ndecision = "${decision}"\npriority = ${priority}\n`

/** A policy of Gemini CLI: of two rules for a tool, the one with the higher priority holds. */
const policy = (asked: ReadonlyArray<string>) =>
  `# Written by pyro host connect gemini: which tools of pyro run without a question.\n${rule("\"*\"", "allow", 200)}${
    asked.length === 0 ? "" : `\n${rule(JSON.stringify(asked), "ask_user", 300)}`
  }`

/** The directory that Gemini CLI takes for the home directory. */
const homeOf = ({ home, variable }: Place) => variable("GEMINI_CLI_HOME") ?? home

/** Gemini CLI: servers in settings.json; `trust` allows all tools, a policy file some. Policies of a project do not count. */
export const gemini: AgentHost = {
  name: "gemini",
  title: "Gemini CLI",
  program: "gemini",
  config: (scope, place) => ({
    path: path.join(scope === "project" ? place.project : homeOf(place), ".gemini", "settings.json"),
    format: "json"
  }),
  servers: ["mcpServers"],
  entry: (server) => {
    const passed = handedOn(neededVariables(server.args))
    const isHere = Object.keys(passed).length > 0 || server.env !== undefined
    const env = isHere ? named([...Object.entries(passed), ...Object.entries(server.env ?? {})]) : undefined
    return { command: server.command, args: server.args, timeout: 600_000, ...envOf({ ...server, env }) }
  },
  commandOf: commandLine,
  environment: geminiEnvironment,
  trust: (scope, place) =>
    scope === "user" ? undefined : {
      file: {
        path: place.variable("GEMINI_CLI_TRUSTED_FOLDERS_PATH") ??
          path.join(homeOf(place), ".gemini", "trustedFolders.json"),
        format: "json"
      },
      isTrusted: (value) => at(value, [place.project]) === "TRUST_FOLDER",
      fix: `run gemini in ${place.project}, and trust the folder`
    },
  approvals: ({ approve, config, entry, place, scope, tools: { asked } }) => ({
    files: [{
      ...config,
      changes: [
        approve === "all"
          ? { _tag: "set", path: [...entry, "trust"], value: true }
          : { _tag: "remove", path: [...entry, "trust"] }
      ]
    }],
    ...(scope === "user"
      ? {
        own: {
          path: path.join(homeOf(place), ".gemini", "policies", `${ENTRY}.toml`),
          text: approve === "safe" ? policy(asked) : undefined
        }
      }
      : {}),
    notes: [
      ...(scope === "project" && approve === "safe"
        ? ["Gemini CLI has no policies of a project, so it asks before each tool. To allow all tools: --approve all"]
        : []),
      ...(scope === "project"
        ? ["Gemini CLI starts a project's servers only in a trusted folder: run gemini there"]
        : []),
      ...(scope === "user" && approve === "safe" && asked.length > 0
        ? [`gemini -p cannot ask, so it refuses ${asked.join(" and ")}. To allow them: --approve all`]
        : [])
    ]
  })
}
