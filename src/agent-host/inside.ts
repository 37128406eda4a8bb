import { Effect } from "effect"
import type { AgentKeyMissing, InvalidRequest } from "../contract/errors/errors.ts"
import type { InsideName } from "../contract/rows/agent-host.ts"
import { named } from "../contract/text/names.ts"
import type { AgentInside, ChosenKey } from "./inside/agent-inside.ts"
import { agentInside } from "./inside/agents.ts"
import { accessOf, keyOf } from "./inside/key.ts"
import { commandOf, environmentNameOf, hasAgent, isOnce } from "./inside/program.ts"

export interface InsideRequest {
  readonly agent: InsideName
  readonly args: ReadonlyArray<string>
  readonly ask: boolean
  readonly environment?: string
  readonly env: Readonly<Record<string, string>>
}

/** An agent that is ready for a workspace: data alone, and nothing made yet. */
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
  /** The agent answers once and ends, in place of a full screen. */
  readonly isOnce: boolean
}

/** Decides all about an agent in a workspace. Fails before anything is made. */
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

/** Variables of the host that the agent gets too. A key is none of them. */
const passed = ({ passes }: AgentInside, { baseUrl }: ChosenKey, variable: (name: string) => string | undefined) =>
  named([baseUrl.variable, ...passes].flatMap((name) => {
    const value = variable(name)
    return value === undefined || value === "" ? [] : [[name, value] as const]
  }))
