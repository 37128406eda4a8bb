import * as path from "node:path"
import { named } from "../../contract/text/names.ts"
import { at } from "../format/document.ts"
import {
  type AgentHost,
  commandLine,
  configFiles,
  ENTRY,
  envOf,
  handedOn,
  neededVariables,
  type Place,
  sharedSkills,
  type Variables,
  variablesOf
} from "./agent-host.ts"

// Gemini CLI 0.61 withholds some variables from servers: packages/core/src/services/environmentSanitization.ts.

const ALWAYS = new Set(["PATH", "HOME", "LANG", "SHELL", "TMPDIR", "USER", "LOGNAME", "TERM", "COLORTERM"])

const NEVER = new Set([
  ...["CLIENT_ID", "DB_URI", "CONNECTION_STRING", "AWS_DEFAULT_REGION", "AZURE_CLIENT_ID", "AZURE_TENANT_ID"],
  ...["SLACK_WEBHOOK_URL", "TWILIO_ACCOUNT_SID", "DATABASE_URL", "GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_ACCOUNT"],
  "FIREBASE_PROJECT_ID"
])

const SECRET_NAME = /TOKEN|SECRET|PASSWORD|PASSWD|KEY|AUTH|CREDENTIAL|CREDS|PRIVATE|CERT/i

const SECRET_VALUE = [
  /-----BEGIN ((RSA|OPENSSH|EC|PGP) PRIVATE KEY|CERTIFICATE)-----/i,
  /(https?|ftp|smtp):\/\/[^:\s]{1,1024}:[^@\s]{1,1024}@/i,
  /((ghp|gho|ghu|ghs|ghr|github_pat)_[a-z0-9_]{36,}|AIzaSy[a-z0-9_\\-]{33}|AKIA[A-Z0-9]{16})/i,
  /(eyJ[a-z0-9_-]{0,10240}\.[a-z0-9_-]{0,10240}\.|(s|r)k_(live|test)_[0-9a-z]{24}|xox[abpr]-[a-z0-9-]+)/i
]

const isTakenOut = (name: string, value: string) => {
  const key = name.toUpperCase()
  if (key.startsWith("GEMINI_CLI_")) return false
  if (SECRET_VALUE.some((pattern) => pattern.test(value))) return true
  return !key.startsWith("GIT_CONFIG_") && !ALWAYS.has(key) && (NEVER.has(key) || SECRET_NAME.test(key))
}

/** Replaces `$NAME` and `${NAME}` by the host's variables. An unset variable becomes empty. */
const expanded = (value: string, own: Variables) =>
  value.replace(
    /\$(?:(\w+)|\{([^}]+?)(?::-([^}]*))?\})/g,
    (_, bare?: string, braced?: string, otherwise?: string) => own[bare ?? braced ?? ""] ?? otherwise ?? ""
  )

/** The variables that a server of Gemini CLI gets. */
const geminiEnvironment = (own: Variables, entry: unknown): Variables =>
  named([
    ...Object.entries(own).filter(([name, value]) => !isTakenOut(name, value)),
    ...Object.entries(variablesOf(entry)).map(([name, value]) => [name, expanded(value, own)] as const)
  ])

const rule = (tools: string, decision: string, priority: number) =>
  `[[rule]]\ntoolName = ${tools}\nmcpName = "${ENTRY}"\ndecision = "${decision}"\npriority = ${priority}\n`

/** A policy of Gemini CLI. The rule with the highest priority decides about a tool. */
const policy = (asked: ReadonlyArray<string>) =>
  `# Written by pyro host connect gemini: which tools of pyro run without a question.\n${rule("\"*\"", "allow", 200)}${
    asked.length === 0 ? "" : `\n${rule(JSON.stringify(asked), "ask_user", 300)}`
  }`

/** The home directory of Gemini CLI. */
const homeOf = ({ home, variable }: Place) => variable("GEMINI_CLI_HOME") ?? home

/** Gemini CLI: servers in settings.json; `trust` allows all tools, a policy file some. Policies of a project do not count. */
export const gemini: AgentHost = {
  name: "gemini",
  title: "Gemini CLI",
  program: "gemini",
  config: configFiles(
    "json",
    [".gemini", "settings.json"],
    (place) => path.join(homeOf(place), ".gemini", "settings.json")
  ),
  servers: ["mcpServers"],
  entry: (server) => {
    const passed = handedOn(neededVariables(server.args))
    const isHere = Object.keys(passed).length > 0 || server.env !== undefined
    const env = isHere ? named([...Object.entries(passed), ...Object.entries(server.env ?? {})]) : undefined
    return { command: server.command, args: server.args, timeout: 600_000, ...envOf({ ...server, env }) }
  },
  commandOf: commandLine,
  // Gemini CLI warns of two skills with one name, so pyro never writes to .gemini/skills beside the shared folder.
  skills: sharedSkills(homeOf),
  environment: geminiEnvironment,
  trust: (place) => ({
    file: {
      path: place.variable("GEMINI_CLI_TRUSTED_FOLDERS_PATH") ??
        path.join(homeOf(place), ".gemini", "trustedFolders.json"),
      format: "json"
    },
    isTrusted: (value) => at(value, [place.project]) === "TRUST_FOLDER",
    fix: `run gemini in ${place.project}, and trust the folder`
  }),
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
