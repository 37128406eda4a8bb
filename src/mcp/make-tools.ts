import { Effect } from "effect"
import type { PyroError } from "../contract/errors/errors.ts"
import type { PyroService } from "../contract/rows/Pyro.ts"
import { grantsOf, type Project } from "../sdk/project.ts"
import { type CallResult, callTool } from "./call.ts"
import { makePending } from "./pending.ts"
import { type ModeName, noToolResult, type ProfileName } from "./profile.ts"
import { type ListedTool, selectedTools } from "./tool-table.ts"

export interface ToolsOptions {
  readonly profile: ProfileName
  /** Kind of task, which chooses the tools instead of the profile. */
  readonly mode?: ModeName
  /** Does the work; asked for at each call. */
  readonly pyro: Effect.Effect<PyroService, PyroError>
  /** What of the host a model may name. */
  readonly project: Project
}

/** The tools of a profile without the protocol around them, for agents that call functions. */
export interface Tools {
  readonly list: ReadonlyArray<ListedTool>
  /** What the tool answers, for a model to read: failures too, also that there is no such tool. Interrupting it ends what it started. */
  readonly call: (name: string, args: Readonly<Record<string, unknown>>) => Effect.Effect<CallResult>
}

/** The tools that `createServer` serves, with the same names, arguments and answers. */
export const makeTools = ({ mode, profile, project, pyro }: ToolsOptions): Tools => {
  const selection = mode ?? profile
  const tools = selectedTools(selection, grantsOf(project))
  const pending = makePending()
  const byName = new Map(tools.map((tool) => [tool.listed.name, tool]))
  return {
    list: tools.map(({ listed }) => listed),
    call: (name, args) => {
      const tool = byName.get(name)
      return tool === undefined
        ? Effect.succeed(noToolResult(name, selection, byName.keys()))
        : callTool(tool, args, { pending, pyro, project, report: () => {} })
    }
  }
}
