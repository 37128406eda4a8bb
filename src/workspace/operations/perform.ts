import { type Context, Effect, Option, type Scope, Stream } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import { callFromPull, type PullEvents } from "../../contract/rows/event-batches.ts"
import type { Operation, WorkspaceOperation } from "../../contract/rows/operations.ts"
import type { RunInput } from "../../contract/rows/run-input.ts"
import { withNotices } from "../../system/waits/notices.ts"
import { aloneFor, type Lifecycle, type LifecycleServices, type Notify } from "../entry/context.ts"
import type { Entry } from "../entry/entry.ts"
import { failNamed, naming } from "../entry/named-error.ts"
import { remembered } from "../entry/requests.ts"
import { wakeFor } from "../life/verbs/pause.ts"
import { residentsOf } from "../residents/open/entry-residents.ts"
import { recordCrossing } from "./crossings.ts"
import { namingUnused } from "./unused.ts"
import { type AtAll, inReader, inRunning, type WorkspacesOperation } from "./work.ts"
import { works } from "./works.ts"

/** The workspaces that operations work on, and the services of their work. */
export interface House {
  readonly lifecycle: Lifecycle
  readonly services: Context.Context<LifecycleServices>
}

type Asked = { readonly workspace: string }

/** As `naming`, for events that are pulled after the work began. */
const namingPulls = <Event>({ entry }: { readonly entry?: Entry }, pull: PullEvents<Event>): PullEvents<Event> =>
  entry === undefined ?
    pull :
    (waitMs) =>
      Effect.catch(pull(waitMs), (failure): Effect.Effect<never, Option.Option<PyroError>> =>
        Option.isNone(failure)
          ? Effect.fail(failure)
          : Effect.mapError(failNamed(entry)(failure.value), Option.some))

/** As `failNamed`, for work that finds the workspace of its payload by itself, such as a fork or a try. */
const failAsked = ({ registry }: AtAll, payload: unknown) => (error: PyroError): Effect.Effect<never, PyroError> => {
  const { workspace } = payload as Partial<Asked>
  return typeof workspace !== "string"
    ? Effect.fail(error)
    : Effect.flatMap(
      Effect.option(registry.find(workspace)),
      (found) => Option.isNone(found) ? Effect.fail(error) : failNamed(found.value)(error)
    )
}

const namingEvents = <Event, R>(
  at: AtAll & { readonly entry?: Entry },
  payload: unknown,
  events: Stream.Stream<Event, PyroError, R>
): Stream.Stream<Event, PyroError, R> =>
  Stream.catch(
    events,
    (error) => Stream.fromEffect(at.entry === undefined ? failAsked(at, payload)(error) : failNamed(at.entry)(error))
  )

/** Does work at the place that its row names. The types of the table ensure that the work gets the argument that it needs. */
const place = (row: WorkspacesRow) => {
  const { name, on, states, writes }: Operation = row
  const operation = name as WorkspaceOperation
  const work: AnyWork = works[name] as AnyWork
  // The work of others goes on after this: the events of most have entries of their own in the log.
  const isWhole = typeof work === "function" || "notices" in work
  const inEntry = <A, R>(
    lifecycle: Lifecycle,
    entry: Entry,
    payload: never,
    work: (at: never) => Effect.Effect<A, PyroError, R>
  ): Effect.Effect<A, PyroError, R | LifecycleServices> => {
    const { registry } = lifecycle
    const at = (given: object) => work({ ...given, lifecycle, registry, entry } as never)
    switch (on) {
      case "residents":
        return Effect.flatMap(residentsOf(entry, operation), at)
      case "running":
        return inRunning(lifecycle, entry, operation, { writes: writes?.(payload) ?? false }, work as never)
      case "reader":
        return inReader(lifecycle, entry, operation, work as never) as Effect.Effect<
          A,
          PyroError,
          R | LifecycleServices
        >
      default:
        return at({})
    }
  }
  return <A, R>(
    { lifecycle, services }: House,
    payload: unknown,
    work: (at: never) => Effect.Effect<A, PyroError, R>
  ): Effect.Effect<A, PyroError, Exclude<R, LifecycleServices> | Scope.Scope> => {
    const { registry } = lifecycle
    const done = on === undefined
      ? Effect.catch(work({ lifecycle, registry } as never), failAsked({ lifecycle, registry }, payload))
      : Effect.flatMap(registry.find((payload as Asked).workspace), (entry) => {
        const inside = inEntry(lifecycle, entry, payload as never, work)
        const done = states?.waits === true ? aloneFor(lifecycle, entry, operation)(inside) : inside
        const woken = states === undefined ? done : Effect.andThen(wakeFor(lifecycle, entry, operation), done)
        return naming(entry)(isWhole ? remembered(row, payload, entry.requests)(woken) : woken)
      })
    return Effect.provide(namingUnused(registry)(done), services) as Effect.Effect<
      A,
      PyroError,
      Exclude<R, LifecycleServices> | Scope.Scope
    >
  }
}

/** The work of any operation of the table. */
type AnyWork =
  | ((at: never, payload: never) => Effect.Effect<unknown, PyroError, LifecycleServices>)
  | {
    readonly notices: (
      at: { readonly notify: Notify },
      payload: never
    ) => Effect.Effect<unknown, PyroError, LifecycleServices>
  }
  | {
    readonly pulls: (
      at: never,
      payload: never,
      input: RunInput
    ) => Effect.Effect<PullEvents<unknown>, PyroError, LifecycleServices | Scope.Scope>
  }
  | { readonly events: (at: never, payload: never) => Stream.Stream<unknown, PyroError, LifecycleServices> }

type WorkspacesRow = Operation & { readonly name: WorkspacesOperation }

export const isOfWorkspaces = (row: Operation): row is WorkspacesRow => Object.hasOwn(works, row.name)

/**
 * The call of an operation on workspaces. It waits for the workspaces, finds the one that the payload names, does the work of the table at
 * the place of the row, and records a crossing. `aloneFor` checks the state for a row whose `states` wait. The places `running` and `reader`
 * check the state too, and explain a VM that ended. Other work, such as exec, does both itself. Work with `pulls` crosses nothing. Work that
 * needs the VM uses the workspace to its end: an unfinished stream of a caller is unfinished work.
 */
export const performing = (row: WorkspacesRow, house: Effect.Effect<House, PyroError>) => {
  const work = works[row.name] as AnyWork
  const inPlace = place(row)
  const record = recordCrossing(row.name)
  if (typeof work === "function") {
    return (payload: never) =>
      Effect.flatMap(
        house,
        (at) => Effect.scoped(inPlace(at, payload, (given) => Effect.tap(work(given, payload), record(given, payload))))
      )
  }
  if ("pulls" in work) {
    return callFromPull((payload: never, input: RunInput = {}) =>
      Effect.flatMap(
        house,
        (at) =>
          inPlace(at, payload, (given) =>
            Effect.map(work.pulls(given, payload, input), (pull) =>
              namingPulls(given, pull)))
      )
    )
  }
  return "notices" in work
    ? (payload: never) =>
      Stream.unwrap(
        Effect.map(house, (at) =>
          withNotices((notify: Notify) =>
            Effect.scoped(inPlace(at, payload, (given) =>
              Effect.tap(work.notices({ ...given as object, notify }, payload), record(given, payload))))
          ))
      )
    : (payload: never) =>
      Stream.unwrap(
        Effect.flatMap(house, (at) =>
          inPlace(at, payload, (given) =>
            Effect.sync(() =>
              Stream.provideContext(
                namingEvents(given, payload, Stream.tap(work.events(given, payload), record(given, payload))),
                at.services
              )
            )))
      )
}
