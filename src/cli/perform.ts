import { Effect, identity, Schema, type Scope, Stream } from "effect"
import { ChannelFailed, InvalidRequest, type PyroError } from "../contract/errors/errors.ts"
import type { Notice } from "../contract/rows/notice.ts"
import type { CliSurface, Folding, PureSchema } from "../contract/rows/operation.ts"
import type { Operation } from "../contract/rows/operations.ts"
import { callOf, Pyro, type PyroService } from "../contract/rows/Pyro.ts"
import type { RunPayload } from "../contract/rows/run.ts"
import { type ExecPayload, workspaceExec } from "../contract/rows/workspace-exec.ts"
import type { LogsPayload } from "../contract/rows/workspace-logs.ts"
import type { DeletePayload } from "../contract/rows/workspace-reset.ts"
import { named } from "../contract/text/names.ts"
import { makeCommandInterrupt } from "./command-interrupt.ts"
import { confirmDeleteAll } from "./confirm.ts"
import { asExport } from "./export-flag.ts"
import { fillFromFiles } from "./file-flags.ts"
import { checkExecId, checkFollow, followingExec, nothingRan } from "./follow-logs.ts"
import { withLimits } from "./limit-flags.ts"
import { OutputOptions } from "./output-options.ts"
import { decode, parse, type Typed } from "./parser.ts"
import { printJson, printJsonLines } from "./print.ts"
import { makeProgress } from "./progress.ts"
import { completeRun, makeRunInput } from "./run-input.ts"
import { makeScreenOutput } from "./screen-output.ts"
import { fillSecrets } from "./secret-flags.ts"
import { type OutputClosed, Terminal } from "./terminal.ts"
import type { Performed } from "./view.ts"
import { views } from "./views.ts"

/** A row of the operation table without its types. */
interface AnyOperation {
  readonly payload: () => PureSchema
  readonly result: () => PureSchema
  readonly exitStatus?: (result: unknown, payload: unknown) => number
  readonly fold?: (payload: unknown) => Folding<unknown, unknown>
}
type Tagged = { readonly _tag: string }
interface AnyView {
  readonly event?: (event: Tagged) => Effect.Effect<void, OutputClosed, Terminal>
  readonly result: (result: unknown, payload: unknown) => Effect.Effect<void, OutputClosed, Terminal>
  readonly exitStatus?: (result: unknown) => number
  readonly next?: (payload: unknown, result: unknown) => unknown
  readonly items?: string
  readonly perform?: (
    pyro: PyroService,
    payload: unknown,
    json: boolean
  ) => Effect.Effect<Performed<unknown>, PyroError | OutputClosed, Terminal> | undefined
}

/** An operation with its decoded payload. */
export interface Prepared {
  readonly operation: Operation
  readonly payload: unknown
  readonly json: boolean
  readonly outputOptions: OutputOptions
}

/** Sets the fields of the given switches. */
const withSwitches = (operation: Operation, typed: Typed): Typed => {
  const cli: CliSurface = operation.cli
  const fields = Object.entries(cli.extras ?? {}).flatMap(([name, extra]) =>
    extra._tag === "switch" && extra.sets !== undefined && typed.extras[name] !== undefined
      ? [[extra.sets, true] as const]
      : []
  )
  return fields.length === 0 ? typed : { ...typed, raw: named([...Object.entries(typed.raw), ...fields]) }
}

/** Parses an operation's command line. A failure has no side effect. */
export const prepare = (
  requested: Operation,
  words: ReadonlyArray<string>,
  rest: ReadonlyArray<string> | undefined
): Effect.Effect<Prepared, InvalidRequest, Terminal> =>
  Effect.gen(function*() {
    const { resolvePath, workspace } = yield* Terminal
    const parsed = yield* parse(requested, words, rest, { workspace })
    const typed = yield* fillSecrets(requested, yield* withLimits(requested, withSwitches(requested, parsed)))
    const switches = new Set(Object.keys(typed.extras).filter((name) => name !== "json" && name !== "quiet"))
    for (const text of ["id-only", "content-only"].filter((name) => typed.json && switches.has(name))) {
      return yield* new InvalidRequest({ field: `--${text}`, detail: "cannot be combined with --json" })
    }
    if (typed.json && (typed.extras["output"] === "-" || typed.raw["output"] === "-")) {
      return yield* new InvalidRequest({
        field: "--output",
        detail: "- cannot be combined with --json: both are stdout"
      })
    }
    yield* checkFollow(typed)
    yield* checkExecId(requested.name, typed)
    const filled = takesInput(requested)
      ? yield* completeRun(requested, typed)
      : yield* fillFromFiles(requested, typed)
    const { operation, raw } = yield* asExport(requested, { ...typed, raw: filled })
    const cli: CliSurface = operation.cli
    const paths = (cli.hostPaths ?? []).flatMap((name) => {
      const typedPath = raw[name]
      if (typeof typedPath !== "string") return []
      // A trailing slash requires a directory as output.
      const slash = name === "output" && typedPath.endsWith("/") ? "/" : ""
      return [[name, resolvePath(typedPath) + slash] as const]
    })
    const unresolved = paths.find(([, path]) => path !== "-" && path !== "" && !path.startsWith("/"))
    if (unresolved !== undefined) {
      return yield* new InvalidRequest({
        field: cli.args.includes(unresolved[0]) ? unresolved[0] : `--${unresolved[0].replaceAll("_", "-")}`,
        detail: `"${
          unresolved[1]
        }" leads nowhere: the current directory was deleted. Change to one that is there, or give an absolute path`
      })
    }
    const payload = yield* decode(cli, operation.payload(), named([...Object.entries(raw), ...paths]))
    return { operation, payload, json: typed.json, outputOptions: { quiet: typed.quiet, switches } }
  })

/** Performs the operation, prints its result, and returns the exit status. */
export const perform = ({ json, outputOptions, operation, payload }: Prepared): Effect.Effect<
  number,
  PyroError | OutputClosed,
  Pyro | Terminal
> =>
  Effect.gen(function*() {
    const row: AnyOperation = operation as never
    const view: AnyView = views[operation.name] as never
    const pyro = yield* Pyro
    const { confirms, extras }: CliSurface = operation.cli
    if (confirms !== undefined && !json && !(yield* confirmDeleteAll(pyro, payload as DeletePayload))) return 1
    // --follow performs an exec with the same output options. Only the row with the flag may follow.
    if (extras?.["follow"] !== undefined && outputOptions.switches.has("follow")) {
      return yield* performFollow(pyro, payload as LogsPayload, outputOptions)
    }
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
      : yield* printEvents(row, json, payload, callOf(pyro, operation)(payload) as Events, (event) =>
        view.event?.(event) ?? Effect.void)
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

/** Follows the output of a command. The exit status is pyro's own, as with `docker logs -f`. */
const performFollow = (pyro: PyroService, logs: LogsPayload, outputOptions: OutputOptions) =>
  Effect.gen(function*() {
    const payload = yield* followingExec(pyro, logs)
    if (payload === undefined) return yield* Effect.as(nothingRan(logs.workspace), 0)
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

type Events = Stream.Stream<Tagged, PyroError>

/** Prints events as they arrive (with `--json` only `Started`) and returns their result. */
const printEvents = <E, R>(
  row: AnyOperation,
  json: boolean,
  payload: unknown,
  events: Events,
  show: (event: Tagged) => Effect.Effect<unknown, E, R>
) =>
  Effect.gen(function*() {
    const progress = yield* makeProgress
    const folding = row.fold!(payload)
    const each = (event: Tagged): Effect.Effect<unknown, E, R> => {
      folding.add(event)
      if (json && event._tag !== "Started") return Effect.void
      return event._tag === "Notice"
        ? progress.show(event as Notice)
        : Effect.andThen(progress.clear, show(event))
    }
    yield* Stream.runForEach(events, each).pipe(Effect.ensuring(progress.clear))
    return folding.result() ?? (yield* new ChannelFailed({ detail: "the stream of events ended without its last" }))
  })

type CommandPayload = RunPayload | ExecPayload

const takesInput = ({ cli }: { readonly cli: CliSurface }) => cli.stdin !== undefined

/**
 * Performs `run` and `exec`, with the terminal's input. Output is printed and not kept. The command reads a pipe or a file only with
 * `--interactive`: otherwise it would take the input of a shell loop around it.
 */
const performCommand = (
  operation: Operation,
  payload: CommandPayload,
  json: boolean,
  { switches }: OutputOptions
) =>
  Effect.scoped(Effect.gen(function*() {
    const reads = switches.has("interactive")
    const { input, started } = yield* makeRunInput(payload.tty, reads)
    const pyro = yield* Pyro
    const kept = json ? payload : { ...payload, maxBytes: 0 }
    const view: AnyView = views[operation.name] as never
    const ending = yield* makeCommandInterrupt(payload)
    const events = callOf(pyro, operation)(kept, { ...input, interrupt: ending.interrupt }) as Events
    const filtered = payload.tty ? yield* makeScreenOutput(switches.has("raw")) : identity<Tagged>
    const show = (event: Tagged): Effect.Effect<unknown, OutputClosed, Terminal | Scope.Scope> =>
      event._tag === "Started" ? Effect.andThen(ending.started(event), started) : view.event!(filtered(event))
    const result = yield* printEvents(operation as never, json, kept, events, show)
    // A command that handles the signal chooses the exit status. Otherwise the signal ended both.
    const isItsOwn = (result as { readonly outcome: string }).outcome === "exited"
    return ending.wasAsked() && !isItsOwn ? yield* Effect.interrupt : result
  }))
