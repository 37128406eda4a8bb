import { Effect } from "effect"
import { AgentKeyMissing, InvalidRequest } from "../contract/errors/errors.ts"
import type { InsideName } from "../contract/rows/agent-host.ts"
import { secretTargetOf } from "../contract/rows/secret-target.ts"
import { named } from "../contract/text/names.ts"
import { type AgentInside, agentInside, type ChosenKey, type InsideOptions } from "./inside/agents.ts"

export interface InsideRequest {
  readonly agent: InsideName
  readonly args: ReadonlyArray<string>
  readonly ask: boolean
  readonly environment?: string
  readonly env: Readonly<Record<string, string>>
}

/** Everything that pyro needs to run an agent in a workspace. Nothing exists yet. */
export interface Inside {
  readonly agent: InsideName
  /** The key's variable, and its value, which stays on the host. */
  readonly key: { readonly variable: string; readonly value: string }
  /** Arguments of `--allow-host` and `--secret-http`. */
  readonly access: { readonly allowHost: string; readonly secretHttp: string }
  /** Definition of the environment with the agent. */
  readonly environment: {
    readonly name: string
    readonly from: string
    readonly packages: ReadonlyArray<string>
    readonly npm: ReadonlyArray<string>
  }
  /** Whether an environment has the agent, in any version. */
  readonly isIn: (environment: string) => boolean
  readonly command: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string>>
  /** The agent answers once and ends, without a full screen. */
  readonly isOnce: boolean
}

/** Prepares an agent for a workspace. Fails before pyro makes anything. */
export const prepareInside = (
  request: InsideRequest,
  variable: (name: string) => string | undefined
): Effect.Effect<Inside, AgentKeyMissing | InvalidRequest> =>
  Effect.gen(function*() {
    const agent = agentInside(request.agent)
    const key = yield* keyOf(agent, variable)
    const from = request.environment ?? agent.from
    return {
      agent: request.agent,
      key,
      access: yield* accessOf(key),
      environment: { name: environmentNameOf(agent, from), from, packages: agent.packages, npm: agent.npm },
      isIn: (environment) => hasAgent(agent, environment),
      command: commandOf(agent, key, request.args, request),
      env: { ...agent.env, ...passed(agent, key, variable), ...request.env },
      isOnce: isOnce(agent, request.args)
    }
  })

/** Variables of the host that the agent also gets. None has a key. */
const passed = ({ passes }: AgentInside, { baseUrl }: ChosenKey, variable: (name: string) => string | undefined) =>
  named([baseUrl.variable, ...passes].flatMap((name) => {
    const value = variable(name)
    return value === undefined || value === "" ? [] : [[name, value] as const]
  }))

type Variable = (name: string) => string | undefined

/** The agent's key in the host's variables, and its provider's origin. */
const keyOf = (
  { keys, name }: AgentInside,
  variable: Variable
): Effect.Effect<ChosenKey & { readonly value: string }, AgentKeyMissing> => {
  for (const key of keys) {
    const value = variable(key.variable)
    if (value !== undefined && value !== "") {
      return Effect.succeed({ ...key, value, url: variable(key.baseUrl.variable) || key.baseUrl.fallback })
    }
  }
  return new AgentKeyMissing({ agent: name, variables: keys.map((key) => key.variable) })
}

/** The host that the guest may reach, and the place of the key: arguments of `--allow-host` and `--secret-http`. */
const accessOf = (
  key: ChosenKey
): Effect.Effect<{ readonly allowHost: string; readonly secretHttp: string }, InvalidRequest> => {
  const { baseUrl: { variable: field }, header, url, variable } = key
  const refuse = (detail: string) => new InvalidRequest({ field, detail })
  if (!URL.canParse(url)) return refuse(`${url} is no URL; one looks like https://api.example.com`)
  const { hostname, port, protocol } = new URL(url)
  if (protocol !== "https:") {
    return refuse(`${url} must begin with https://, because pyro puts the key into HTTPS requests`)
  }
  const secretHttp = `${variable}@${hostname}${port === "" ? "" : `:${port}`}:${header}`
  return secretTargetOf(secretHttp) === undefined
    ? refuse(`${hostname} must be a host name, because a key belongs to a name`)
    : Effect.succeed({ allowHost: `${hostname}:${port === "" ? 443 : port}`, secretHttp })
}

/** Splits `@scope/name@1.2.3`. */
const partsOf = (npm: string) => {
  const at = npm.lastIndexOf("@")
  return { name: npm.slice(0, at), version: npm.slice(at + 1) }
}

/** Name of the environment that adds the agent to another environment, such as `claude-code:2.1.332-debian_12`. */
const environmentNameOf = ({ name, npm: [first] }: AgentInside, from: string): string =>
  `${name}:${partsOf(first).version}-${from.replaceAll(":", "_")}`.slice(0, name.length + 63)

/** Whether an environment has the agent, in any version. */
const hasAgent = ({ name }: AgentInside, environment: string): boolean => environment.startsWith(`${name}:`)

/** Path of an agent's program in a guest. */
const programOf = ({ npm: [first], program }: AgentInside) =>
  `/usr/local/lib/node_modules/${partsOf(first).name}/${program}`

/**
 * Runs the agent as the foreground job of a shell that leads the session, and continues the agent when the agent stops itself on Ctrl-Z. The
 * kernel ignores SIGTSTP for a session leader, so an agent without this shell waits for a SIGCONT that never comes. The statuses are those of
 * SIGSTOP, SIGTSTP, SIGTTIN and SIGTTOU. A function calls itself, because bash leaves every loop when a job stops.
 */
const AS_JOB = `go_on() {
  status=$?
  [ "$status" -ge 147 ] && [ "$status" -le 150 ] || exit "$status"
  fg >/dev/null
  go_on
}
if [ -t 0 ]; then
  set -m
  "$@"
  go_on
fi
`

/** Words of the guest's command: settings first, then the agent. */
const commandOf = (
  agent: AgentInside,
  key: ChosenKey,
  args: ReadonlyArray<string>,
  options: InsideOptions
): ReadonlyArray<string> => [
  ...["sh", "-c", `${agent.setUp(key, options)}\n${isOnce(agent, args) ? "" : AS_JOB}exec "$@"`, agent.name],
  programOf(agent),
  ...(options.ask ? agent.asking ?? [] : agent.trusting),
  ...args
]

/** Whether the agent answers once and ends, without a full screen. */
export const isOnce = ({ once }: AgentInside, args: ReadonlyArray<string>) => args.some((word) => once.includes(word))
