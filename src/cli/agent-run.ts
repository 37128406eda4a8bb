import { Effect } from "effect"
import { Pyro } from "../contract/rows/Pyro.ts"
import { workspaceShellAttach } from "../contract/rows/workspace-attach.ts"
import { ExecPayload, workspaceExec } from "../contract/rows/workspace-exec.ts"
import { ShellOpenPayload, workspaceShellOpen } from "../contract/rows/workspace-shell.ts"
import { performAttach } from "./attach.ts"
import { OutputOptions } from "./output-options.ts"
import { decode } from "./parser.ts"
import { perform } from "./perform.ts"
import { Terminal } from "./terminal.ts"

export interface AgentRun {
  readonly workspace: string
  readonly command: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string>>
}

export interface AgentEnd {
  readonly status: number
  /** The person has left, and the agent has not ended. */
  readonly goesOn: boolean
}

/** Runs the agent with this process's pipes. A signal for pyro ends the agent first. */
export const runPlain = (run: AgentRun) =>
  Effect.gen(function*() {
    const { stdinIsNull, stdinIsTerminal } = yield* Terminal
    const options = yield* OutputOptions
    const payload = yield* decode(workspaceExec.cli, ExecPayload(), { ...run })
    const switches = new Set(stdinIsNull || stdinIsTerminal ? [] : ["interactive"])
    const status = yield* perform({
      operation: workspaceExec,
      payload,
      json: false,
      outputOptions: { ...options, switches }
    })
    return { status, goesOn: false } satisfies AgentEnd
  })

/** Runs the agent in a shell of the workspace on this terminal, until its end or the detach key. */
export const runAttached = ({ command, env, workspace }: AgentRun) =>
  Effect.gen(function*() {
    const pyro = yield* Pyro
    const { size, type } = yield* Terminal
    const request = yield* decode(workspaceShellOpen.cli, ShellOpenPayload(), {
      workspace,
      command,
      env: type === undefined ? env : { TERM: type, ...env },
      ...(yield* size)
    })
    const { shellId } = yield* pyro.workspace.shell.open(request)
    const attach = yield* decode(workspaceShellAttach.cli, workspaceShellAttach.payload(), {
      workspace,
      shell_id: shellId
    })
    const result = yield* performAttach(pyro, attach, false)
    return {
      status: workspaceShellAttach.exitStatus?.(result, attach) ?? 0,
      goesOn: result.outcome === "running"
    } satisfies AgentEnd
  })
