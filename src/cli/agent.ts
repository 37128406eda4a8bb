import { Effect, Exit } from "effect"
import { InvalidRequest, type PyroError } from "../contract/errors/errors.ts"
import { hostNameOf } from "../contract/rows/agent-host.ts"
import type { Pyro } from "../contract/rows/Pyro.ts"
import { named } from "../contract/text/names.ts"
import { withApiWatch } from "./agent-api.ts"
import { agentCommand, AgentPayload } from "./agent-command.ts"
import { showEnd } from "./agent-end.ts"
import { runAttached, runPlain } from "./agent-run.ts"
import { takeUp } from "./agent-workspace.ts"
import { OutputOptions } from "./output-options.ts"
import { decode, parse } from "./parser.ts"
import { note } from "./print.ts"
import { type OutputClosed, Terminal } from "./terminal.ts"

/** Runs an agent in a workspace, and shows what it changed. Returns the exit status: the agent's own. */
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
      agentCommand.cli,
      AgentPayload(),
      withPaths(withName(typed.raw), terminal.resolvePath)
    )
    const { prepareInside } = yield* Effect.promise(() => import("../agent-host/inside.ts"))
    const inside = yield* prepareInside(payload, terminal.variable)
    return yield* Effect.gen(function*() {
      const { id: workspace, told } = yield* takeUp(payload, inside)
      const run = { workspace, command: inside.command, env: inside.env }
      const isAttached = terminal.stdinIsTerminal && terminal.stdoutIsTerminal && !inside.isOnce
      yield* note(`pyro: ${payload.agent} runs in ${told}\n`)
      const { allowHost } = inside.access
      const running = isAttached ? runAttached(run) : runPlain(run)
      const ended = yield* Effect.exit(withApiWatch({ workspace, allowHost, isAttached }, running))
      const goesOn = Exit.isSuccess(ended) && ended.value.goesOn
      if (!goesOn) yield* showEnd(workspace, payload)
      return (yield* ended).status
    }).pipe(Effect.provideService(OutputOptions, { quiet: typed.quiet, switches: new Set<string>() }))
  })

const withName = (raw: Readonly<Record<string, unknown>>) =>
  typeof raw["agent"] === "string"
    ? named<unknown>([...Object.entries(raw), ["agent", hostNameOf(raw["agent"])]])
    : raw

const withPaths = (raw: Readonly<Record<string, unknown>>, resolvePath: (path: string) => string) => {
  const resolved = agentCommand.cli.hostPaths.flatMap((name) => {
    const path = raw[name]
    return typeof path === "string" ? [[name, resolvePath(path)] as const] : []
  })
  return named<unknown>([...Object.entries(raw), ...resolved])
}
