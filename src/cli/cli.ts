import { Cause, Effect, Exit, type Layer, Option } from "effect"
import { InvalidRequest, type PyroError } from "../contract/errors/errors.ts"
import type { Operation } from "../contract/rows/operations.ts"
import type { Pyro } from "../contract/rows/Pyro.ts"
import { workspaceCreate } from "../contract/rows/workspace-lifecycle.ts"
import type { StartDaemon } from "../sdk/model/start-daemon.ts"
import { shortly } from "./arguments/aliases.ts"
import { contextOf, type Route, route, splitArgv } from "./arguments/argv.ts"
import { nameHint } from "./arguments/corrections.ts"
import { fillSecrets } from "./arguments/extras.ts"
import { asTyped, parse } from "./arguments/parser.ts"
import { copying } from "./cp.ts"
import { complete, completionHelp, completionScripts, type Names, SHELLS } from "./help/complete.ts"
import { printJson } from "./output/print.ts"
import { type FailureReport, reportFailure, reportInterruption } from "./output/report.ts"
import { sayRemains } from "./perform/interrupted.ts"
import { perform } from "./perform/perform.ts"
import { prepare } from "./perform/prepare.ts"
import { mcpServe, type ServePayload } from "./rows/rows.ts"
import { serveOptions } from "./serve-options.ts"
import { type OutputClosed, Terminal } from "./terminal/Terminal.ts"

/** The signal, if any, that interrupted the program. */
export interface Interruption {
  readonly signal: () => { readonly name: string; readonly status: number } | undefined
}

interface CliOptions {
  /** The words after `pyro`. */
  readonly argv: ReadonlyArray<string>
  /** The reason to refuse the words, if Node could not decode one of them. */
  readonly refusal?: InvalidRequest | undefined
  readonly version: string
  /** The layer that performs an operation; built only for a command line that needs one. */
  readonly pyro: (operation: Operation, payload?: unknown, context?: string) => Layer.Layer<Pyro, PyroError>
  /** The context of a line that names none. @default that of the environment */
  readonly context?: string | undefined
  readonly interruption: Interruption
  /** Serves MCP on stdin and stdout until the client disconnects. */
  readonly serveMcp: (payload: ServePayload, context?: string) => Effect.Effect<void, PyroError>
  /** Serves one client of another machine on stdin and stdout. Gives the exit status. */
  readonly serveStdio: Effect.Effect<number>
  readonly startDaemon: StartDaemon
  /** Names that completion offers besides commands and flags. */
  readonly names: Names
  /** The command line is a step of another command, which says what remains after an interruption. */
  readonly isStep?: true
}

/** How the process exits. */
export interface ExitPlan {
  readonly status: number
  /** Signal that kills the process. */
  readonly signal?: string | undefined
}

/** Exit of a process whose terminal has hung up. */
const HANG_UP_EXIT: ExitPlan = { status: 129, signal: "SIGHUP" }

/** After a terminal hangs up, writes fail before the kernel sends SIGHUP: the failure may arrive first. */
const isHungUp = (cause: Cause.Cause<PyroError | OutputClosed>) =>
  Option.exists(Cause.findErrorOption(cause), (failure) => failure._tag === "OutputClosed" && failure.isHungUp)

/** Runs one command line and returns how to exit. Never fails. */
export const cli = (options: CliOptions): Effect.Effect<ExitPlan, never, Terminal> => {
  const { isDashed, own, rest } = splitArgv(options.argv)
  const json = own.includes("--json")
  const routed = route(own)
  const invocation = {
    command: shortly(pathOf(routed)),
    family: routed._tag === "Operation"
      ? routed.operation.cli.exits
      : routed._tag === "Command"
      ? routed.command.cli.exits
      : "own",
    ...(routed._tag === "Operation" ? { cli: routed.operation.cli } : {})
  } as const
  const context = contextOf(routed) ?? options.context
  return run(routed, rest, { ...options, context }).pipe(
    Effect.exit,
    Effect.flatMap((exit): Effect.Effect<ExitPlan, never, Terminal> => {
      if (Exit.isSuccess(exit)) return Effect.succeed({ status: exit.value })
      const signal = options.interruption.signal()
      if (isHungUp(exit.cause)) return Effect.succeed(HANG_UP_EXIT)
      if (!Cause.hasInterruptsOnly(exit.cause) || signal === undefined) {
        return Effect.gen(function*() {
          const { workspace } = yield* Terminal
          const line = { routed, rest, isDashed, defaults: { workspace } }
          const report = reportFailure(exit.cause, {
            ...invocation,
            context,
            hint: (error) => nameHint(line, error)
          })
          return yield* Effect.as(printFailure(report, json), { status: report.status })
        })
      }
      const { name, status } = signal
      // A server exits with a status: no shell loop waits for its signal.
      const isServer = routed._tag === "Command" && ["mcp.serve", "serve"].includes(routed.command.name)
      const exitPlan = isServer ? { status } : { status, signal: name }
      return Effect.as(printFailure(reportInterruption(name, status), json), exitPlan)
    }),
    Effect.uninterruptible
  )
}

const pathOf = (routed: Route): ReadonlyArray<string> => {
  switch (routed._tag) {
    case "Operation":
      return routed.operation.cli.path
    case "Command":
      return routed.command.cli.path
    case "Version":
    case "Complete":
      return []
    case "CompletionScript":
      return ["completion"]
    default:
      return routed.path
  }
}

const run = (
  routed: Route,
  rest: ReadonlyArray<string> | undefined,
  options: CliOptions
): Effect.Effect<number, PyroError | OutputClosed, Terminal> => {
  if (options.refusal !== undefined && routed._tag !== "Complete") return Effect.fail(options.refusal)
  switch (routed._tag) {
    case "Operation":
      return prepare(routed.operation, routed.words, rest).pipe(
        Effect.flatMap((prepared) =>
          Effect.provide(
            Effect.onInterrupt(perform(prepared), () => options.isStep ? Effect.void : sayRemains(prepared)),
            options.pyro(prepared.operation, prepared.payload, options.context)
          ).pipe(
            Effect.mapError((error) =>
              error._tag === "InvalidRequest"
                ? asTyped({ cli: prepared.cli, payload: prepared.operation.payload }, error)
                : error
            )
          )
        ),
        Effect.interruptible
      )
    case "Command":
      return Effect.interruptible(runCommand(routed, rest, options))
    case "Help":
      return Effect.gen(function*() {
        const terminal = yield* Terminal
        const { help, helpColumns } = yield* Effect.promise(() => import("./help/help.ts"))
        const columns = terminal.stdoutIsTerminal ? (yield* terminal.size).cols : undefined
        yield* terminal.writeStdout(help(routed.path, helpColumns(terminal.variable("COLUMNS"), columns)))
        return 0
      })
    case "Version":
      return Effect.flatMap(Terminal, (terminal) => Effect.as(terminal.writeStdout(`pyro ${options.version}\n`), 0))
    case "CompletionScript":
      return completionScript(routed.shell)
    case "Complete":
      return Effect.gen(function*() {
        const terminal = yield* Terminal
        const candidates = yield* complete(rest ?? [], options.names)
        yield* terminal.writeStdout(candidates.map((one) => `${one}\n`).join(""))
        return 0
      })
    case "Wrong":
      return new InvalidRequest({ field: "", detail: routed.detail })
  }
}

/** Runs a command that is no operation. */
const runCommand = (
  { command, words }: Extract<Route, { readonly _tag: "Command" }>,
  rest: ReadonlyArray<string> | undefined,
  options: CliOptions
): Effect.Effect<number, PyroError | OutputClosed, Terminal> => {
  // These commands work with workspaces, so the daemon does their operations.
  const withDaemon = <E, R>(work: Effect.Effect<number, E, R | Pyro>) =>
    Effect.provide(work, options.pyro(workspaceCreate, undefined, options.context))
  switch (command.name) {
    case "agent":
      return Effect.flatMap(
        Effect.promise(() => import("./agent/agent.ts")),
        ({ performAgent }) => withDaemon(performAgent(words, rest))
      )
    case "workspace.cp":
      return Effect.flatMap(copying(words, rest), ({ asTyped, operation, rest, words }) =>
        Effect.mapError(
          run({ _tag: "Operation", operation, words }, rest, options),
          (error) => error._tag === "InvalidRequest" ? asTyped(error) : error
        ))
    case "workspace.code":
      return Effect.flatMap(
        Effect.promise(() => import("./editor.ts")),
        ({ performCode }) => withDaemon(performCode(words, rest))
      )
    case "demo": {
      // A command in the guest takes the signal, so only the interruption tells that a person ends the tour.
      const type = (argv: ReadonlyArray<string>) =>
        Effect.flatMap(
          cli({ ...options, argv, isStep: true }),
          ({ status }) => options.interruption.signal() === undefined ? Effect.succeed(status) : Effect.interrupt
        )
      return Effect.flatMap(
        Effect.promise(() => import("./demo.ts")),
        ({ performDemo }) => withDaemon(performDemo(words, rest, type))
      )
    }
    case "workspace.up":
    case "workspace.down":
      return Effect.flatMap(
        Effect.promise(() => import("./project/project.ts")),
        ({ performProject }) => withDaemon(performProject(command, words, rest))
      )
    case "mcp.serve":
      return parse(mcpServe, words, rest).pipe(
        Effect.flatMap((typed) => fillSecrets(mcpServe, typed)),
        Effect.flatMap(({ raw }) => serveOptions(raw)),
        Effect.flatMap((payload) => options.serveMcp(payload, options.context)),
        Effect.as(0)
      )
    case "context.add":
    case "context.use":
    case "context.list":
    case "context.show":
    case "context.remove":
      return Effect.flatMap(
        Effect.promise(() => import("./context.ts")),
        ({ performContext }) => performContext(command, words, rest)
      )
    case "serve":
    case "serve.token.add":
    case "serve.token.list":
    case "serve.token.revoke":
    case "serve.quota":
      return Effect.flatMap(
        Effect.promise(() => import("./serve.ts")),
        ({ performServe }) => performServe(command, words, rest, options)
      )
    default:
      return Effect.flatMap(
        Effect.promise(() => import("./host.ts")),
        ({ performHost }) => performHost(command, words, rest)
      )
  }
}

const completionScript = (
  shell: string | undefined
): Effect.Effect<number, InvalidRequest | OutputClosed, Terminal> => {
  if (shell === undefined) {
    return Effect.flatMap(Terminal, (terminal) => Effect.as(terminal.writeStdout(completionHelp), 0))
  }
  const script = Object.entries(completionScripts).find(([name]) => name === shell)?.[1]
  return script === undefined
    ? new InvalidRequest({ field: "", detail: `no completion for "${shell}"; there is one for ${SHELLS.join(", ")}` })
    : Effect.flatMap(Terminal, (terminal) => Effect.as(terminal.writeStdout(script), 0))
}

const printFailure = (report: FailureReport, json: boolean): Effect.Effect<void, never, Terminal> =>
  json
    ? printJson(report.json).pipe(
      // If stdout fails, stderr remains.
      Effect.catch(() => Effect.flatMap(Terminal, (terminal) => terminal.writeStderr(report.text)))
    )
    : Effect.flatMap(Terminal, (terminal) => report.text === "" ? Effect.void : terminal.writeStderr(report.text))
