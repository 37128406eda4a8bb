import { Effect, Result } from "effect"
import { InvalidRequest } from "../../src/contract/errors/errors.ts"
import type { Profile } from "../../src/contract/rows/operation.ts"
import type { PyroService } from "../../src/contract/rows/Pyro.ts"
import { type CallResult, callTool } from "../../src/mcp/call.ts"
import { makePending, type Pending } from "../../src/mcp/pending.ts"
import { profileTools } from "../../src/mcp/tool-table.ts"
import type { Project } from "../../src/sdk/project.ts"
import { unfakedPyro } from "../support/daemon/unfaked-pyro.ts"

const refused = (field: string) => Result.fail(new InvalidRequest({ field, detail: "lies outside" }))

/** Bound to nothing: every path of the host is refused. */
export const emptyProject: Project = {
  path: undefined,
  repoUrl: undefined,
  repoRef: undefined,
  source: refused,
  destination: refused
}

/** A service that has `workspace` operations and, of these, the ones that a test has. */
export const fakePyro = (workspace: Partial<PyroService["workspace"]>): PyroService => ({
  ...unfakedPyro,
  workspace: { ...unfakedPyro.workspace, ...workspace }
})

/** Calls a tool without a client. */
export const call = (
  pyro: PyroService,
  name: string,
  args: Readonly<Record<string, unknown>>,
  { pending = makePending(), profile = "full", project = emptyProject, signal, timedOut = Effect.never }: {
    readonly pending?: Pending
    readonly profile?: Profile
    readonly project?: Project
    readonly signal?: AbortSignal
    readonly timedOut?: Effect.Effect<void>
  } = {}
): Promise<CallResult> => {
  const tool = profileTools(profile).find(({ listed }) => listed.name === name)
  if (tool === undefined) throw new Error(`no tool ${name}`)
  return Effect.runPromise(
    callTool(tool, args, { pyro: Effect.succeed(pyro), project, pending, report: () => {}, timedOut }),
    signal === undefined ? {} : { signal }
  )
}

export const textOf = ({ content }: CallResult): string => content[0].text
