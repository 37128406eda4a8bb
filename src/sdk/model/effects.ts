import { Effect, Option, type Scope, Stream } from "effect"
import { ChannelFailed, type PyroError } from "../../contract/errors/errors.ts"
import { forEachEvent, type StreamingCall } from "../../contract/rows/event-batches.ts"
import type { Folding } from "../../contract/rows/operation.ts"
import type {
  ErrorOf,
  EventOf,
  Operation,
  OperationName,
  OperationOf,
  ResultOf
} from "../../contract/rows/operations.ts"
import { callOf, type Nested, nested, Pyro, type PyroService, type WithInput } from "../../contract/rows/Pyro.ts"
import type { RunInput } from "../../contract/rows/run-input.ts"
import type { WorkspaceInfo } from "../../contract/rows/workspace-info.ts"
import { newRequestId } from "../../system/processes/identity.ts"
import { type Options, payloadOf } from "./options.ts"

/** An operation for Effect programs. `options` is optional if all of its fields are. */
export type EffectCall<Name extends OperationName> = OperationOf<Name> extends { readonly kind: "streaming" } ? {
    /** Events in their order. The end of the stream's Scope ends the work. */
    (...args: Arguments<Name>): Stream.Stream<EventOf<Name>, ErrorOf<Name>, Pyro>
    /** The same work until its end, as one result. */
    readonly collect: (...args: Arguments<Name>) => Effect.Effect<ResultOf<Name>, ChannelFailed | ErrorOf<Name>, Pyro>
  }
  : (...args: Arguments<Name>) => Effect.Effect<ResultOf<Name>, ErrorOf<Name>, Pyro>

type Arguments<Name extends OperationName> = Name extends WithInput ? [options: Options<Name>, input?: RunInput]
  : {} extends Options<Name> ? [options?: Options<Name>]
  : [options: Options<Name>]

export type PyroEffects = Nested<{ readonly [Name in OperationName]: EffectCall<Name> }>

type AnyCall = (options?: object, input?: RunInput) => unknown

const eventsOf = (row: Operation, pyro: PyroService) => callOf(pyro, row) as StreamingCall<unknown, unknown>

/** Runs an operation to its end and gives its result. `begun` gets the fold of the events. */
export const collecting = (
  row: Extract<Operation, { readonly kind: "streaming" }>,
  options: object,
  input: RunInput | undefined,
  begun: (folding: Folding<unknown, unknown>) => void = () => {}
): Effect.Effect<unknown, PyroError, Pyro> =>
  Effect.gen(function*() {
    const payload = yield* payloadOf(row, options)
    const folding = (row.fold as (payload: unknown) => Folding<unknown, unknown>)(payload)
    begun(folding)
    const add = (event: unknown) => Effect.sync(() => folding.add(event))
    yield* forEachEvent(eventsOf(row, yield* Pyro), payload, input, add)
    return folding.result() ?? (yield* new ChannelFailed({ detail: "the stream of events ended without its last" }))
  })

const effectCall = (row: Operation): AnyCall => {
  if (row.kind === "unary") {
    return (options = {}) =>
      Effect.flatMap(
        payloadOf(row, options),
        (payload) => Effect.flatMap(Pyro, (pyro) => callOf(pyro, row)(payload) as Effect.Effect<unknown, PyroError>)
      )
  }
  const stream: AnyCall = (options = {}, input) =>
    Stream.unwrap(
      Effect.flatMap(payloadOf(row, options), (payload) =>
        Effect.map(Pyro, (pyro) => eventsOf(row, pyro)(payload, input)))
    )
  const collect: AnyCall = (options = {}, input) => collecting(row, options, input)
  return Object.assign(stream, { collect })
}

/**
 * Every operation for Effect programs, over one of the Layers `layer` (in this process) and `layerDaemon`. Bad options fail with
 * InvalidRequest before any work.
 *
 * @example
 * const { status } = yield* pyro.workspace.exec.collect({ workspace: "fix", script: "python3 -m unittest" })
 */
export const pyro = nested(effectCall) as PyroEffects

/** Label of workspaces that belong to a Scope of a program. Finds a workspace whose creation was interrupted. */
const SCOPE_LABEL = "pyro.scope"

const remove = (workspaces: ReadonlyArray<string>) =>
  pyro.workspace.delete({ workspaces }).pipe(
    // The workspace has expired, or another client deleted it.
    Effect.catchTag("WorkspaceNotFound", () => Effect.void),
    Effect.ignoreCause
  )

/**
 * A workspace that the Scope owns. The Scope's end deletes the workspace and its forks, which have its labels, also after an
 * interrupted creation. The workspace survives only a killed process; `ttlSeconds` bounds this case.
 */
export const acquireWorkspace = (
  options: Options<"workspace.create"> = {}
): Effect.Effect<WorkspaceInfo, ErrorOf<"workspace.create">, Pyro | Scope.Scope> =>
  Effect.gen(function*() {
    const id = newRequestId()
    const labels = { ...options.labels, [SCOPE_LABEL]: id }
    // Before the creation: an interrupted one may have made the workspace.
    yield* Effect.addFinalizer(() =>
      pyro.workspace.list({ labels: { [SCOPE_LABEL]: id } }).pipe(
        Effect.flatMap(({ workspaces }) =>
          workspaces.length === 0 ? Effect.void : remove(workspaces.map((one) => one.id))
        ),
        Effect.ignoreCause
      )
    )
    const last = yield* Stream.runLast(pyro.workspace.create({ ...options, labels }))
    return Option.isSome(last) && last.value._tag === "Ready"
      ? last.value.workspace
      : yield* new ChannelFailed({ detail: "the workspace's creation ended without it" })
  })
