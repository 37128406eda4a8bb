import type { InsideName } from "../../contract/rows/agent-host.ts"

/** A variable of the host that has a key, and where the key goes. */
export interface AgentKey {
  readonly variable: string
  /** Header of the provider's API that has the key, in lower case. */
  readonly header: string
  /** Variable with the origin of another API, and the origin without the variable. */
  readonly baseUrl: { readonly variable: string; readonly fallback: string }
}

/** The key in use. */
export interface ChosenKey extends AgentKey {
  /** The person's value of `baseUrl.variable`, else `baseUrl.fallback`. */
  readonly url: string
}

/** An agent that runs in a workspace: one row for each. */
export interface AgentInside {
  readonly name: InsideName
  /** Exact versions, which tests have run. The first package has the program. */
  readonly npm: readonly [string, ...ReadonlyArray<string>]
  /** Environment that gets the packages by default, and Debian packages that the agent needs as well. */
  readonly from: string
  readonly packages: ReadonlyArray<string>
  /** Path of the program beneath the first package. */
  readonly program: string
  /** The agent takes the first of these variables that is set. */
  readonly keys: readonly [AgentKey, ...ReadonlyArray<AgentKey>]
  /** Variables of the agent: no telemetry, no updates. */
  readonly env: Readonly<Record<string, string>>
  /** Variables of the host that the agent gets too. None has a key. */
  readonly passes: ReadonlyArray<string>
  /** Words that run the agent without questions. The microVM is the boundary. */
  readonly trusting: ReadonlyArray<string>
  /** Words that make the agent ask before it acts. @default none: the agent asks by itself */
  readonly asking?: ReadonlyArray<string>
  /** Words of a command line that answers once and ends, without a full screen. */
  readonly once: ReadonlyArray<string>
  /** Shell script that writes the agent's settings in the guest's home directory, before the agent starts. The key's variable has a placeholder. */
  readonly setUp: (key: ChosenKey, options: InsideOptions) => string
}

export interface InsideOptions {
  /** The agent asks its own questions. */
  readonly ask: boolean
}
