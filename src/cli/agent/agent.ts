import { Effect, Exit, Ref } from "effect"
import { InvalidRequest, type PyroError } from "../../contract/errors/errors.ts"
import { hostNameOf } from "../../contract/rows/agent-host.ts"
import { Pyro } from "../../contract/rows/Pyro.ts"
import { workspaceShellAttach } from "../../contract/rows/workspace-attach.ts"
import { ExecPayload, workspaceExec } from "../../contract/rows/workspace-exec.ts"
import type { NetworkRecord } from "../../contract/rows/workspace-network.ts"
import { ShellOpenPayload, workspaceShellOpen } from "../../contract/rows/workspace-shell.ts"
import { named } from "../../contract/text/names.ts"
import { decode, parse, surfaceAsTyped } from "../arguments/parser.ts"
import { note, OutputOptions, warn } from "../output/print.ts"
import { withPaths } from "../perform/host-paths.ts"
import { perform } from "../perform/perform.ts"
import { agentCommand, AgentPayload } from "../rows/agent.ts"
import { type OutputClosed, Terminal } from "../terminal/Terminal.ts"
import { performAttach } from "../views/attach.ts"
import { showEnd } from "./end.ts"
import { fromFile } from "./project-file.ts"
import { workspaceFor } from "./workspace.ts"

/** Runs an agent in a workspace, and shows its changes. Returns the agent's exit status. */
export const performAgent = (
  words: ReadonlyArray<string>,
  rest: ReadonlyArray<string> | undefined
): Effect.Effect<number, PyroError | OutputClosed, Pyro | Terminal> =>
  Effect.gen(function*() {
    const typed = yield* parse(agentCommand, words, rest)
    if (typed.json) {
      return yield* new InvalidRequest({ field: "--json", detail: "cannot be combined with an agent's own output" })
    }
    const terminal = yield* Terminal
    const payload = yield* decode(
      surfaceAsTyped(agentCommand.cli, typed),
      AgentPayload(),
      withPaths(agentCommand.cli, withName(typed.raw), terminal.resolvePath)
    )
    const { prepareInside } = yield* Effect.promise(() => import("../../agent-host/inside.ts"))
    return yield* Effect.gen(function*() {
      const made = Effect.gen(function*() {
        const file = yield* fromFile(payload, typed.raw)
        const environment = payload.environment ?? file.environment
        const inside = yield* prepareInside(
          { ...payload, ...(environment === undefined ? {} : { environment }) },
          terminal.variable
        )
        return { inside, ...yield* workspaceFor(payload, inside, file) }
      })
      const { description, id: workspace, inside } = yield* Effect.onInterrupt(made, () => note(notStarted(payload)))
      const run = { workspace, command: inside.command, env: inside.env }
      const isAttached = terminal.stdinIsTerminal && terminal.stdoutIsTerminal && !inside.isOnce
      yield* note(`pyro: ${payload.agent} runs in ${description}\n`)
      const { allowHost } = inside.access
      const running = isAttached ? runAttached(run) : runPlain(run)
      const ended = yield* Effect.exit(withApiWatch({ workspace, allowHost, isAttached }, running))
      const stillRuns = Exit.isSuccess(ended) && ended.value.stillRuns
      if (!stillRuns) yield* showEnd(workspace, payload)
      return (yield* ended).status
    }).pipe(Effect.provideService(OutputOptions, { quiet: typed.quiet, switches: new Set<string>() }))
  })

/** What remains if a person ends pyro before the agent has begun. */
const notStarted = ({ agent, workspace }: AgentPayload) =>
  `pyro: interrupted: ${agent} did not start; ${
    workspace === undefined ? "a half-made workspace does not stay" : `${workspace} stays`
  }, and your files are unchanged\n`

const withName = (raw: Readonly<Record<string, unknown>>) =>
  typeof raw["agent"] === "string"
    ? named<unknown>([...Object.entries(raw), ["agent", hostNameOf(raw["agent"])]])
    : raw

interface AgentRun {
  readonly workspace: string
  readonly command: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string>>
}

interface AgentEnd {
  readonly status: number
  /** The person has detached, and the agent still runs. */
  readonly stillRuns: boolean
}

/** Runs the agent with this process's pipes. A signal for pyro ends the agent first. */
const runPlain = (run: AgentRun) =>
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
    return { status, stillRuns: false } satisfies AgentEnd
  })

/** Runs the agent in a shell of the workspace on this terminal, until its end or the detach key. */
const runAttached = ({ command, env, workspace }: AgentRun) =>
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
      stillRuns: result.outcome === "running"
    } satisfies AgentEnd
  })

const LIMIT = 100

/** Error text if an entry of the network log shows that the agent's API was not reached. */
const failureOf = (api: string, { host, outcome, reason }: NetworkRecord): string | undefined =>
  outcome === "allowed" || host.toLowerCase() !== api
    ? undefined
    : `${host} cannot be reached${reason === undefined ? "" : `: ${reason}`}`

/** Waits for the first failure in the workspace's network log after this moment. */
const firstFailure = (workspace: string, api: string) =>
  Effect.gen(function*() {
    const pyro = yield* Pyro
    const read = (cursor: number | undefined, follow: boolean) =>
      pyro.workspace.network.log({
        workspace,
        denied: false,
        limit: LIMIT,
        follow,
        ...(cursor === undefined ? {} : { cursor })
      })
    const { entries: earlier } = yield* read(undefined, false)
    let cursor = earlier.at(-1)?.number ?? 0
    while (true) {
      const { entries } = yield* read(cursor, true)
      const failure = entries.map((entry) => failureOf(api, entry)).find((found) => found !== undefined)
      if (failure !== undefined) return failure
      cursor = entries.at(-1)?.number ?? cursor
    }
  })

/** A line at the top of a full screen. The agent may draw over it. */
const onScreen = (text: string, cols: number) =>
  `\u001b7\u001b[1;1H\u001b[0;7m ${text.slice(0, cols - 2)} \u001b[0m\u001b8`

/**
 * Runs an agent, and reports the first time that its API cannot be reached, with the reason: agents retry for minutes, and then give no reason. On
 * a full screen, the report is on the first line, and is repeated after the end.
 */
export const withApiWatch = <A, E, R>(
  { isAttached, workspace, allowHost }: {
    readonly workspace: string
    readonly allowHost: string
    readonly isAttached: boolean
  },
  run: Effect.Effect<A, E, R>
) =>
  Effect.gen(function*() {
    const { size, writeStderr } = yield* Terminal
    const said = yield* Ref.make<string | undefined>(undefined)
    const watch = Effect.gen(function*() {
      const failure = yield* firstFailure(workspace, allowHost.replace(/:\d+$/, "").toLowerCase())
      const text = `pyro: ${failure}. See: pyro network log ${workspace}`
      yield* Ref.set(said, text)
      yield* isAttached ? writeStderr(onScreen(text, (yield* size).cols)) : warn(`${text}\n`)
    })
    const ended = yield* Effect.exit(
      Effect.acquireUseRelease(
        Effect.forkDetach(Effect.ignore(watch)),
        () => run,
        (watching) => Effect.sync(() => watching.interruptUnsafe())
      )
    )
    const text = yield* Ref.get(said)
    if (isAttached && text !== undefined) {
      yield* note(`${text}\n`)
    }
    return yield* ended
  })
