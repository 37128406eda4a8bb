import { Effect } from "effect"
import { Pyro } from "../contract/rows/Pyro.ts"
import type { AgentPayload } from "./agent-command.ts"
import { firstLine } from "./first-line.ts"
import { note, warn } from "./print.ts"
import { Terminal } from "./terminal.ts"

/** Options that only a new workspace has. */
export const ofNew = ["seedPath", "git", "environment", "name"] as const

/**
 * The newest workspace that the agent has of a project, if the person goes on in it. Without a terminal, nobody can be asked: a note names the
 * workspace, and the run gets a new one, as before.
 */
export const earlierWorkspace = (payload: AgentPayload, project: string, isOnce: boolean) =>
  Effect.gen(function*() {
    if (payload.new || ofNew.some((field) => payload[field] !== undefined)) return undefined
    const pyro = yield* Pyro
    const { stderrIsTerminal, stdin, stdinIsTerminal } = yield* Terminal
    const { workspaces } = yield* pyro.workspace.list({ labels: { agent: payload.agent } })
    const [newest] = workspaces.filter(({ project: of, state }) => of === project && state !== "failed")
      .sort((one, other) => other.createdAt.localeCompare(one.createdAt))
    if (newest === undefined) return undefined
    const name = newest.name ?? newest.id
    if (isOnce || !stdinIsTerminal || !stderrIsTerminal) {
      yield* note(
        `pyro: ${payload.agent} has the workspace ${name} of this project from an earlier run. To go on there: --workspace ${name}\n`
      )
      return undefined
    }
    yield* warn(`${payload.agent} has the workspace ${name} of this project from an earlier run. Go on there? [Y/n] `)
    const answer = yield* firstLine(stdin)
    return /^no?$/i.test(answer.trim()) ? undefined : newest.id
  })
