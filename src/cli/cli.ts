import { Cause, Effect, Exit, type Layer, Option } from "effect"
import { InvalidRequest, type PyroError } from "../contract/errors.ts"
import type { Operation } from "../contract/operations.ts"
import type { Pyro } from "../contract/Pyro.ts"
import { type Route, route, splitArgv } from "./argv.ts"
import { mcpServe, ServePayload } from "./commands.ts"
import { complete, type Names, SHELLS } from "./complete.ts"
import { completionHelp, completionScripts } from "./completion-scripts.ts"
import { insteadOfEnvironment } from "./first-word.ts"
import { help } from "./help.ts"
import { asTyped, decode, parse } from "./parser.ts"
import { perform, prepare, printJson } from "./perform.ts"
import { interruptedVerdict, type Verdict, verdictOf } from "./report.ts"
import { type OutputClosed, Terminal } from "./terminal.ts"

/** Tells which signal, if any, is the reason for an interruption. */
export interface Interruption {
  readonly signal: () => { readonly name: string; readonly status: number } | undefined
}

export interface CliOptions {
  /** The words after `pyro`. */
  readonly argv: ReadonlyArray<string>
  readonly version: string
  /** What does the work of an operation; built only when a command line turned out to ask for it. */
  readonly pyro: (operation: Operation) => Layer.Layer<Pyro, PyroError>
  readonly interruption: Interruption
  /** Serves MCP on this process's stdin and stdout until its client leaves. */
  readonly serveMcp: (payload: ServePayload) => Effect.Effect<void, PyroError>
  /** What completion offers beside commands and flags. */
  readonly names: Names
}

/** How the process leaves. */
export interface Leaving {
  readonly status: number
  /** The process dies of this signal, which ended its work. */
  readonly signal?: string | undefined
}

/** How the process leaves when its terminal has hung up. */
const HANG_UP: Leaving = { status: 129, signal: "SIGHUP" }

/** The kernel fails writes to a terminal that has hung up before it sends SIGHUP: the failure may arrive first. */
const isHungUp = (cause: Cause.Cause<PyroError | OutputClosed>) =>
  Option.exists(Cause.failureOption(cause), (failure) => failure._tag === "OutputClosed" && failure.isHungUp)

/** Runs one command line and returns how to leave; it never fails. */
export const cli = (options: CliOptions): Effect.Effect<Leaving, never, Terminal> => {
  const { own, rest } = splitArgv(options.argv)
  const json = own.includes("--json")
  const routed = route(own)
  const called = {
    command: ["pyro", ...pathOf(routed)].join(" "),
    family: routed._tag === "Operation" ? routed.operation.cli.exits : "own",
    meant: (environment: string) => insteadOfEnvironment(routed, rest, environment)
  } as const
  return done(routed, rest, options).pipe(
    Effect.exit,
    Effect.flatMap((exit): Effect.Effect<Leaving, never, Terminal> => {
      if (Exit.isSuccess(exit)) return Effect.succeed({ status: exit.value })
      const signal = options.interruption.signal()
      if (isHungUp(exit.cause)) return Effect.succeed(HANG_UP)
      if (!Cause.isInterruptedOnly(exit.cause) || signal === undefined) {
        const verdict = verdictOf(exit.cause, called)
        return Effect.as(tell(verdict, json), { status: verdict.status })
      }
      const { name, status } = signal
      // A server that is told to end does so; nobody's loop is around it.
      const leaving = routed._tag === "Serve" ? { status } : { status, signal: name }
      return Effect.as(tell(interruptedVerdict(name, status), json), leaving)
    }),
    Effect.uninterruptible
  )
}

const pathOf = (routed: Route): ReadonlyArray<string> => {
  switch (routed._tag) {
    case "Operation":
      return routed.operation.cli.path
    case "Serve":
      return mcpServe.cli.path
    case "Version":
    case "Complete":
      return []
    case "CompletionScript":
      return ["completion"]
    default:
      return routed.path
  }
}

const done = (
  routed: Route,
  rest: ReadonlyArray<string> | undefined,
  options: CliOptions
): Effect.Effect<number, PyroError | OutputClosed, Terminal> => {
  switch (routed._tag) {
    case "Operation":
      return prepare(routed.operation, routed.words, rest).pipe(
        Effect.flatMap((prepared) =>
          Effect.provide(perform(prepared), options.pyro(prepared.operation)).pipe(
            Effect.mapError((error) => error._tag === "InvalidRequest" ? asTyped(prepared.operation, error) : error)
          )
        ),
        Effect.interruptible
      )
    case "Serve":
      return parse(mcpServe, routed.words, rest).pipe(
        Effect.flatMap(({ raw }) => decode(mcpServe.cli, ServePayload(), raw)),
        Effect.flatMap(options.serveMcp),
        Effect.as(0),
        Effect.interruptible
      )
    case "Help":
      return Effect.flatMap(Terminal, (terminal) => Effect.as(terminal.writeStdout(help(routed.path)), 0))
    case "Version":
      return Effect.flatMap(Terminal, (terminal) => Effect.as(terminal.writeStdout(`${options.version}\n`), 0))
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

const tell = (verdict: Verdict, json: boolean): Effect.Effect<void, never, Terminal> =>
  json
    ? printJson(verdict.json).pipe(
      // Where stdout is what failed, stderr is left.
      Effect.catchAll(() => Effect.flatMap(Terminal, (terminal) => terminal.writeStderr(verdict.text)))
    )
    : Effect.flatMap(Terminal, (terminal) => verdict.text === "" ? Effect.void : terminal.writeStderr(verdict.text))
