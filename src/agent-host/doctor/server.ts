import { Effect, Result } from "effect"
import type { HostName, HostScope } from "../../contract/rows/agent-host.ts"
import { named } from "../../contract/text/names.ts"
import { runTool } from "../../system/processes/child.ts"
import { processEnvironment } from "../../system/settings/config.ts"
import { type FoundEntry, selectionOf } from "../connect/found-entry.ts"
import { at } from "../format/document.ts"
import {
  type AgentHost,
  isHandedOn,
  neededVariables,
  type Place,
  type Variables,
  variablesOf
} from "../hosts/agent-host.ts"
import { findProgram, isOwnProgram } from "../model/programs.ts"

export interface Check {
  readonly check: string
  readonly status: "ok" | "warning" | "failed"
  readonly detail: string
  /** The next step. */
  readonly fix?: string
}

export interface DoctorOptions {
  readonly host: HostName
  readonly place: Place
  /** Directory in which the host would start the server. */
  readonly cwd: string
  /** `pyro`, or the path of this program. */
  readonly own: string
  /** Whether the place's directory can be a project. */
  readonly hasProject: boolean
}

export const ok = (check: string, detail: string): Check => ({ check, status: "ok", detail })
export const warning = (check: string, detail: string, fix: string): Check => ({
  check,
  status: "warning",
  detail,
  fix
})
export const failed = (check: string, detail: string, fix: string): Check => ({ check, status: "failed", detail, fix })

/** The command of `pyro host` to run next. */
export const fixFor = (command: "connect" | "repair" | "disconnect", host: AgentHost, scope: HostScope) =>
  `pyro host ${command} ${host.name}${scope === "project" ? " --scope project" : ""}`

/** The variables that a host gives to the server of an entry. */
const environmentOf = ({ environment, withholds = [] }: AgentHost, entry: unknown): Variables => {
  const all = named(
    Object.entries(processEnvironment()).flatMap(([name, value]) =>
      value === undefined || withholds.includes(name) ? [] : [[name, value] as const]
    )
  )
  return environment?.(all, entry) ?? named([...Object.entries(all), ...Object.entries(variablesOf(entry))])
}

/** Anyone may have written a project's file. So pyro starts its entry only if the entry runs this pyro and sets no variables. */
const isHarmless = ({ entry, words = [] }: FoundEntry, file: string): boolean =>
  isOwnProgram(file) && words[1] === "mcp" && words[2] === "serve" &&
  Object.entries(variablesOf(entry)).every(isHandedOn)

/** Secrets whose variables the host does not give to the server. Without them the server does not start. */
const secretChecks = (
  host: AgentHost,
  { scope }: FoundEntry,
  args: ReadonlyArray<string>,
  env: Variables
): ReadonlyArray<Check> => {
  const { title, withholds = [] } = host
  return neededVariables(args).filter((name) => (env[name] ?? "") === "").map((name) => {
    const [detail, fix] = withholds.includes(name)
      ? [
        `${title} gives ${name} to no server, so the server does not start`,
        `use a variable of another name, or a file: --secret-file ${name}=PATH`
      ] as const
      : (processEnvironment()[name] ?? "") === ""
      ? [
        `the variable ${name} is not set here, and without it the server does not start`,
        `export ${name}=…, and start ${title} from the same shell`
      ] as const
      : [
        `${title} does not give the variable ${name} to the server, which then does not start`,
        fixFor("repair", host, scope)
      ] as const
    return failed(`secret ${name} (${scope})`, detail, fix)
  })
}

/** Starts the server of an entry as the host would, and sends the host's requests. */
export const serverChecks = (host: AgentHost, found: FoundEntry, { cwd, place }: DoctorOptions) =>
  Effect.gen(function*() {
    const check = `server (${found.scope})`
    const env = environmentOf(host, found.entry)
    const [command = "", ...args] = (found.words ?? []).map((word) =>
      word.replaceAll("${workspaceFolder}", place.project)
    )
    const file = findProgram(command, env["PATH"], cwd)
    const line = [command, ...args].join(" ")
    if (file === undefined) {
      const detail = `${host.title} finds no program ${command === "" ? "in its entry" : command}`
      return [failed(check, detail, fixFor("repair", host, found.scope))]
    }
    if (found.scope === "project" && !isHarmless(found, file)) {
      return [warning(
        check,
        `not started: the project's file starts ${line.slice(0, 200)}, or sets variables`,
        `look at ${found.path}, and replace its entry: pyro host connect ${host.name} --scope project --force`
      )]
    }
    const secrets = secretChecks(host, found, args, env)
    if (secrets.length > 0) return secrets
    const ask = (kind: Handshake) => Effect.result(greet(kind, { command: file, args, cwd, env }))
    const answers = yield* Effect.all([ask("initialize"), ask("discover")])
    return answers.map((answer, index): Check => {
      const which = `${check}: ${index === 0 ? "initialize" : "server/discover"}`
      return Result.match(answer, {
        onFailure: (detail) => failed(which, detail, `try it: ${line}`),
        onSuccess: ({ protocol, tools, version }): Check =>
          tools.length === 0
            ? { check: which, status: "failed", detail: "the server has no tools" }
            : ok(
              which,
              `pyro ${version}, protocol ${protocol}, ${tools.length} tools (${selectionOf({ command, args })})`
            )
      })
    })
  })

/** How a host starts a server. */
interface Start {
  readonly command: string
  readonly args: ReadonlyArray<string>
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** A server's answer to a host. */
interface Greeting {
  readonly version: string
  readonly protocol: string
  readonly tools: ReadonlyArray<string>
}

/** Longest wait for a server's answers, as long as the shortest start that a host allows. */
const WAIT_SECONDS = 30

const NEW_PROTOCOL = "2026-07-28"
const OLD_PROTOCOL = "2025-06-18"

const clientInfo = { name: "pyro host doctor", version: "1" }

const meta = {
  _meta: {
    "io.modelcontextprotocol/protocolVersion": NEW_PROTOCOL,
    "io.modelcontextprotocol/clientInfo": clientInfo,
    "io.modelcontextprotocol/clientCapabilities": {}
  }
}

/** The requests of the two kinds of hosts. Older ones initialize a session first; those of 2026 send requests without a session. */
const requests = {
  initialize: [
    { id: 1, method: "initialize", params: { protocolVersion: OLD_PROTOCOL, capabilities: {}, clientInfo } },
    { method: "notifications/initialized" },
    { id: 2, method: "tools/list", params: {} }
  ],
  discover: [
    { id: 1, method: "server/discover", params: meta },
    { id: 2, method: "tools/list", params: meta }
  ]
} as const

type Handshake = keyof typeof requests

const parsed = (line: string): unknown => {
  try {
    return JSON.parse(line) as unknown
  } catch {
    return undefined
  }
}

/** Starts a server, sends a host's first requests, and ends the server. Fails with a sentence. */
const greet = (kind: Handshake, { args, command, cwd, env }: Start): Effect.Effect<Greeting, string> =>
  runTool(command, args, {
    cwd,
    env,
    input: requests[kind].map((request) => `${JSON.stringify({ jsonrpc: "2.0", ...request })}\n`).join("")
  }).pipe(
    Effect.mapError((failure) => failure.message),
    Effect.timeoutOrElse({
      duration: `${WAIT_SECONDS} seconds`,
      orElse: () => Effect.fail(`the server gave no answer within ${WAIT_SECONDS} seconds`)
    }),
    Effect.flatMap(({ stdout }) => {
      const answers = stdout.toString("utf8").split("\n").map(parsed)
      const answer = (id: number) => answers.find((one) => at(one, ["id"]) === id)
      const hello = at(answer(1), ["result"])
      const tools = at(answer(2), ["result", "tools"])
      if (hello === undefined || !Array.isArray(tools)) {
        const reason = at(answer(1), ["error", "message"]) ?? at(answer(2), ["error", "message"])
        return Effect.fail(`the server's answer is incomplete${typeof reason === "string" ? `: ${reason}` : ""}`)
      }
      const info = at(hello, ["serverInfo", "version"]) ??
        at(hello, ["_meta", "io.modelcontextprotocol/serverInfo", "version"])
      return Effect.succeed({
        version: String(info ?? "?"),
        protocol: String(at(hello, ["protocolVersion"]) ?? NEW_PROTOCOL),
        tools: tools.map((tool) => String(at(tool, ["name"])))
      })
    })
  )
