import { afterAll, beforeAll } from "vitest"
import { until } from "../pyro-cli.ts"
import { localAgent } from "./local-agent.ts"
import { operations } from "./operations.ts"
import type { WorkspacesClient } from "./workspaces-client.ts"

/** A command of the history, as far as the suites look. */
interface Past {
  readonly execId: string
  readonly command: string
  readonly outcome: string
  readonly undone: boolean
  readonly point?: string
  readonly byReset?: boolean
  readonly alsoUndone?: number
  readonly changedNothing?: boolean
  readonly writtenBytes?: number
}

interface Kept {
  readonly id: string
  readonly commands: number
  readonly memory: boolean
  readonly current: boolean
}

export interface History {
  readonly commands: ReadonlyArray<Past>
  readonly points: ReadonlyArray<Kept>
}

export interface Rewound {
  readonly point: string
  readonly redo: string
  readonly undone: ReadonlyArray<
    { readonly execId: string; readonly command: string; readonly changedNothing?: boolean }
  >
  readonly ended: ReadonlyArray<{ readonly kind: string; readonly id: string; readonly command: string }>
  readonly writesUndone: ReadonlyArray<string>
  readonly memory: boolean
  readonly stillRunning: ReadonlyArray<string>
  readonly restarted: ReadonlyArray<string>
  readonly keptEffects: ReadonlyArray<string>
}

/** History and rewinds, in the words of the suites. */
export const rewindSteps = ({ call, exec }: Pick<ReturnType<typeof operations>, "call" | "exec">) => {
  const history = (workspace: string) => call<History>("history", { workspace })
  /** Waits for a point of the present state. */
  const settled = (workspace: string) =>
    until("a point of the present state", async () => {
      const { commands, points } = await history(workspace)
      return points.some((one) => one.current && one.commands === commands.length)
    })
  return {
    history,
    settled,
    rewind: (workspace: string, wanted: object = {}) => call<Rewound>("rewind", { workspace, ...wanted }),
    /** Runs a script, waits for the point of the state after it, and gives the id of the command. */
    step: async (workspace: string, script: string) => {
      const { execId } = await exec(workspace, script)
      await settled(workspace)
      return execId
    }
  } as const
}

/** Workspaces over a local agent with a point before each command, for one suite. */
export const rewindingWorkspaces = (
  program: string,
  { env = {}, ...options }: { readonly hasMemoryPoints: boolean; readonly env?: Readonly<Record<string, string>> }
) => {
  const driver = localAgent(program, options)
  let client: WorkspacesClient
  beforeAll(async () => {
    client = await driver.open()
    await client.close()
    client.setForNext("PYRO_REWIND_MIB", "2048")
    client.setForNext("PYRO_REWIND_EVERY_MS", "0")
    for (const [name, value] of Object.entries(env)) client.setForNext(name, value)
  })
  afterAll(() => driver.close(client))
  const known = operations(() => client)
  return { client: () => client, ...known, ...rewindSteps(known) }
}
