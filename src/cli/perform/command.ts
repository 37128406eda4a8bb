import { Deferred, Effect, identity, type Scope, type Stream } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import type { Operation } from "../../contract/rows/operations.ts"
import { callOf, Pyro } from "../../contract/rows/Pyro.ts"
import type { RunPayload } from "../../contract/rows/run.ts"
import type { ExecPayload } from "../../contract/rows/workspace-exec.ts"
import { note, type OutputOptions } from "../output/print.ts"
import { printEvents, type Tagged } from "../output/progress.ts"
import { makeScreenOutput, makeTerminalInput } from "../terminal/screen.ts"
import { type OutputClosed, Terminal } from "../terminal/Terminal.ts"
import { unreadStdinText } from "../terminal/unread-stdin.ts"
import type { AnyView } from "../views/view.ts"
import { views } from "../views/views.ts"

export type CommandPayload = RunPayload | ExecPayload

/** Whether Ctrl-C ends the command. A detached command, or one that is only followed, continues. */
const isOwn = (payload: CommandPayload) =>
  !("workspace" in payload) || (!payload.detach && payload.waitSeconds === undefined && payload.execId === undefined)

/**
 * Handles a signal while the command runs: the command gets SIGINT, and its output continues until its end. Before the start,
 * and at a second signal, the signal interrupts pyro.
 */
const makeCommandInterrupt = (payload: CommandPayload) =>
  Effect.gen(function*() {
    const { interceptSignal } = yield* Terminal
    const { workspace } = yield* Pyro
    const interrupt = yield* Deferred.make<void>()
    let asked = false
    const stop = (started: { readonly execId?: string }): Effect.Effect<unknown> =>
      Effect.suspend((): Effect.Effect<unknown> => {
        asked = true
        return "workspace" in payload && started.execId !== undefined
          ? Effect.catchCause(
            workspace.cancel({ workspace: payload.workspace, execId: started.execId }),
            () => Effect.void
          )
          : Deferred.succeed(interrupt, undefined)
      })
    return {
      /** For `run`, whose command has no id. */
      interrupt: Deferred.await(interrupt),
      started: (event: object) =>
        isOwn(payload)
          ? Effect.flatMap(interceptSignal, (signal) => Effect.forkScoped(Effect.andThen(signal, stop(event))))
          : Effect.void,
      wasAsked: () => asked
    } as const
  })

/**
 * Performs `run` and `exec`, with the terminal's input. Prints the output and does not keep it. The command reads a pipe or a file only with
 * `--interactive`: otherwise it would take the input of a shell loop around it.
 */
export const performCommand = (
  operation: Operation,
  payload: CommandPayload,
  json: boolean,
  { switches }: OutputOptions
) =>
  Effect.scoped(Effect.gen(function*() {
    const { hasUnreadStdin, stdin, stdinIsTerminal } = yield* Terminal
    if (switches.has("interactive") && !payload.tty && stdinIsTerminal && !json) {
      yield* note("pyro: notice: the command reads this terminal until Ctrl-D. A program that needs a terminal: -it\n")
    }
    const { input, start } = payload.tty
      ? yield* makeTerminalInput(stdin)
      : { input: switches.has("interactive") ? { stdin } : {}, start: Effect.void }
    const pyro = yield* Pyro
    const kept = json ? payload : { ...payload, maxBytes: 0 }
    const view: AnyView = views[operation.name as keyof typeof views] as never
    const ending = yield* makeCommandInterrupt(payload)
    const events = callOf(pyro, operation)(kept, { ...input, interrupt: ending.interrupt }) as Stream.Stream<
      Tagged,
      PyroError
    >
    const filtered = payload.tty ? yield* makeScreenOutput(switches.has("raw")) : identity<Tagged>
    const show = (event: Tagged): Effect.Effect<unknown, OutputClosed, Terminal | Scope.Scope> =>
      event._tag === "Started" ? Effect.andThen(ending.started(event), start) : view.event!(filtered(event))
    const result = yield* printEvents(operation as never, kept, json, events, show)
    if (!json && isOwn(payload) && !payload.tty && !switches.has("interactive") && (yield* hasUnreadStdin)) {
      yield* note(unreadStdinText("workspace" in payload ? "exec" : "run"))
    }
    // A command that handles the signal chooses the exit status. Otherwise the signal ended both.
    const isItsOwn = (result as { readonly outcome: string }).outcome === "exited"
    return ending.wasAsked() && !isItsOwn ? yield* Effect.interrupt : result
  }))
