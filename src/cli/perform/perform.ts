import { Effect, Schema, type Stream } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import type { CliSurface } from "../../contract/rows/operation.ts"
import type { ResultOf } from "../../contract/rows/operations.ts"
import { payloadOf } from "../../contract/rows/payload-of.ts"
import { callOf, Pyro, type PyroService } from "../../contract/rows/Pyro.ts"
import { workspaceExec } from "../../contract/rows/workspace-exec.ts"
import type { LogsPayload } from "../../contract/rows/workspace-logs.ts"
import type { DeletePayload } from "../../contract/rows/workspace-reset.ts"
import { workspaceWatch } from "../../contract/rows/workspace-watch.ts"
import { note, OutputOptions, printJson, printJsonLines } from "../output/print.ts"
import { printEvents, type Tagged } from "../output/progress.ts"
import type { OutputClosed, Terminal } from "../terminal/Terminal.ts"
import type { AnyOperation, AnyView } from "../views/view.ts"
import { views } from "../views/views.ts"
import { type CommandPayload, performCommand } from "./command.ts"
import { withInput } from "./input.ts"
import { withLogins } from "./logins.ts"
import { demandCommand } from "./own-command.ts"
import { type Prepared, takesInput } from "./prepare.ts"
import { pullImageOf } from "./pull-image.ts"
import { confirmDeleteAll } from "./question.ts"
import { allowedByPerson } from "./registry-question.ts"
import { warnOfProxies } from "./stale-daemon.ts"

type Events = Stream.Stream<Tagged, PyroError>

/** Performs the operation, prints its result, and returns the exit status. */
export const perform = (
  prepared: Omit<Prepared, "cli">
): Effect.Effect<number, PyroError | OutputClosed, Pyro | Terminal> =>
  performOnce(prepared).pipe(
    Effect.catchTag("RegistryNotAllowed", (error) =>
      Effect.flatMap(
        allowedByPerson(prepared.payload, error),
        (payload) => payload === undefined ? Effect.fail(error) : perform({ ...prepared, payload })
      ))
  )

const performOnce = (
  { input, json, outputOptions, operation, payload: given }: Omit<Prepared, "cli">
): Effect.Effect<
  number,
  PyroError | OutputClosed,
  Pyro | Terminal
> =>
  Effect.gen(function*() {
    const complete = yield* withLogins(operation.name, given)
    const row: AnyOperation = operation as never
    const view: AnyView = views[operation.name as keyof typeof views] as never
    const pyro = yield* Pyro
    const { confirms, extras }: CliSurface = operation.cli
    if (confirms !== undefined && !json && !(yield* confirmDeleteAll(pyro, complete as DeletePayload))) return 1
    // --follow performs another operation with the same output options. Only the rows with the flag may follow.
    if (extras?.["follow"] !== undefined && outputOptions.switches.has("follow")) {
      return operation.name === "watch"
        ? yield* perform({ operation: workspaceWatch, payload: complete, json, outputOptions })
        : yield* performFollow(pyro, complete as LogsPayload, outputOptions)
    }
    yield* demandCommand(pyro, operation, complete)
    const payload = yield* pullImageOf(pyro, operation.name, complete)
    const own = view.perform?.(pyro, payload, json)
    const done = own === undefined ? undefined : yield* own
    if (done?._tag === "Shown") return done.status
    const ask = (payload: unknown) => callOf(pyro, operation)(payload) as Effect.Effect<unknown, PyroError>
    const result = done !== undefined
      ? done.result
      : operation.kind === "unary"
      ? yield* ask(payload)
      : takesInput(operation)
      ? yield* performCommand(operation, payload as CommandPayload, json, outputOptions)
      : yield* withInput(input, (given) =>
        printEvents(row as never, payload, json, callOf(pyro, operation)(payload, given) as Events, (event) =>
          view.event?.(event) ?? Effect.void))
    if (operation.name === "workspace.network.set") {
      yield* warnOfProxies((result as ResultOf<"workspace.network.set">).workspace)
    }
    const encode = (result: unknown) =>
      Effect.orDie(Schema.encodeUnknownEffect(row.result())(result))
    const isFollowed = json && view.items !== undefined && view.next?.(payload, result) !== undefined
    yield* isFollowed
      ? printPages(itemsOf(view, view.items!, encode), payload, result, ask)
      : json
      ? Effect.flatMap(encode(result), printJson)
      : printPages(view, payload, result, ask)
    return row.exitStatus?.(result, payload) ?? (json ? undefined : view.exitStatus?.(result)) ?? 0
  }).pipe(Effect.provideService(OutputOptions, outputOptions))

/**
 * The exec that follows the command of `workspace logs --follow`. Without an id, the command is the newest running one, or the
 * newest one if none runs, because a short command may have ended already. Undefined if no command ever ran.
 */
const followingExec = (pyro: PyroService, { cursor, execId, workspace }: LogsPayload) =>
  Effect.gen(function*() {
    const id = execId ?? (yield* newest(pyro, workspace))
    if (id === undefined) return undefined
    return payloadOf("workspace.exec", { workspace, execId: id, cursor })
  })

const newest = (pyro: PyroService, workspace: string): Effect.Effect<string | undefined, PyroError> =>
  Effect.gen(function*() {
    const { running } = yield* pyro.workspace.status({ workspace })
    const runs = running?.at(-1)?.execId
    if (runs !== undefined) return runs
    const { commands } = yield* pyro.workspace.logs(payloadOf("workspace.logs", { workspace, limit: 1 }))
    return commands.at(-1)?.execId
  })

/** Follows the output of a command. The exit status is pyro's own, as with `docker logs -f`. */
const performFollow = (pyro: PyroService, logs: LogsPayload, outputOptions: OutputOptions) =>
  Effect.gen(function*() {
    const payload = yield* followingExec(pyro, logs)
    if (payload === undefined) return yield* Effect.as(note(`no commands in ${logs.workspace} yet\n`), 0)
    return yield* Effect.as(perform({ operation: workspaceExec, payload, json: false, outputOptions }), 0)
  })

/** Prints the items of each page as JSON. */
const itemsOf = (view: AnyView, items: string, encode: (result: unknown) => Effect.Effect<unknown>): AnyView => ({
  ...view,
  result: (result) =>
    Effect.flatMap(
      encode(result),
      (page) => printJsonLines((page as Readonly<Record<string, ReadonlyArray<unknown>>>)[items] ?? [])
    )
})

/** Prints a result, and further pages of it. */
const printPages = <E>(
  view: AnyView,
  payload: unknown,
  result: unknown,
  ask: (payload: unknown) => Effect.Effect<unknown, E>
) =>
  Effect.gen(function*() {
    yield* view.result(result, payload)
    let last = result
    for (let next = view.next?.(payload, last); next !== undefined; next = view.next?.(next, last)) {
      last = yield* ask(next)
      yield* view.result(last, next)
    }
  })
