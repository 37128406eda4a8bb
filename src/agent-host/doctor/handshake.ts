import { Effect } from "effect"
import { runTool } from "../../system/processes/child.ts"
import { at } from "../format/json.ts"

/** How a host starts a server. */
export interface Start {
  readonly command: string
  readonly args: ReadonlyArray<string>
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** What a host learns from a server. */
export interface Greeting {
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

/** The requests of the two kinds of hosts: those that say hello first, and those of 2026, whose requests stand alone. */
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

export type Handshake = keyof typeof requests

const parsed = (line: string): unknown => {
  try {
    return JSON.parse(line) as unknown
  } catch {
    return undefined
  }
}

/** Starts a server, asks what a host asks at its start, and ends the server. Fails with a sentence. */
export const greet = (kind: Handshake, { args, command, cwd, env }: Start): Effect.Effect<Greeting, string> =>
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
