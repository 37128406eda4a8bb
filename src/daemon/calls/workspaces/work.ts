import { Effect, type Scope, Stream } from "effect"
import type { PyroError } from "../../../contract/errors/errors.ts"
import { callFromPull, type PullEvents } from "../../../contract/rows/event-batches.ts"
import type { Operation, WorkspaceOperation } from "../../../contract/rows/operations.ts"
import type { RunInput } from "../../../contract/rows/run-input.ts"
import { withNotices } from "../../../system/waits/notices.ts"
import type { Notify } from "../../../workspace/entry/context.ts"
import type { AtAll, AtEntry, House, HouseServices, WorkspacesOperation } from "../../../workspace/operations/work.ts"
import { works } from "../../../workspace/operations/works.ts"
import { surround, type Wrap } from "../wrap.ts"

export type WorkspacesRow = Operation & { readonly name: WorkspacesOperation }

export const isOfWorkspaces = (row: Operation): row is WorkspacesRow => Object.hasOwn(works, row.name)

/** What a line knows of the call: the workspaces, how the caller hears of the work, and what outer lines added. */
export interface At extends AtAll {
  readonly notify?: Notify
  readonly input?: RunInput
}

/**
 * The work of a call on workspaces. It gives the result of a unary row or the last event, the pulls of a row with `pulls`, or the Stream of a
 * row with `events` (`formOf`).
 */
export type Work = (
  payload: unknown,
  at: At
) => Effect.Effect<unknown, PyroError, HouseServices | Scope.Scope>

/** A line around the work of operations on workspaces. It needs nothing but the call. */
export type WorkWrap = Wrap<Work>

/** The workspace of a call. Lines around `on` rows stand inside of `found`, which adds it. */
export const inside = (at: At): AtEntry => at as AtEntry

/** Whether the work is in one workspace, which `found` finds. */
export const isInside = (row: Operation): row is Operation & { readonly name: WorkspaceOperation } =>
  isOfWorkspaces(row) && (row as Operation).on !== undefined

/** The work of any operation of the table. */
type AnyWork =
  | ((at: never, payload: never) => Effect.Effect<unknown, PyroError, HouseServices>)
  | { readonly notices: (at: never, payload: never) => Effect.Effect<unknown, PyroError, HouseServices> }
  | {
    readonly pulls: (
      at: never,
      payload: never,
      input: RunInput
    ) => Effect.Effect<PullEvents<unknown>, PyroError, HouseServices | Scope.Scope>
  }
  | { readonly events: (at: never, payload: never) => Stream.Stream<unknown, PyroError, HouseServices> }

type Form = "answer" | "notices" | "pulls" | "events"

/** The form in which the table has the work of an operation. */
export const formOf = ({ name }: Operation): Form | undefined => {
  const work = (works as Readonly<Record<string, AnyWork | undefined>>)[name]
  if (work === undefined) return undefined
  if (typeof work === "function") return "answer"
  return "notices" in work ? "notices" : "pulls" in work ? "pulls" : "events"
}

const workOf = ({ name }: WorkspacesRow): Work => {
  const work = works[name] as AnyWork
  if (typeof work === "function") return (payload, at) => work(at as never, payload as never)
  if ("notices" in work) return (payload, at) => work.notices(at as never, payload as never)
  if ("pulls" in work) return (payload, at) => work.pulls(at as never, payload as never, at.input ?? {})
  return (payload, at) => Effect.sync(() => work.events(at as never, payload as never))
}

/** The call of an operation on workspaces: the work of the table, surrounded by `wraps`. It waits for the workspaces. */
export const callOfWork = (
  wraps: ReadonlyArray<WorkWrap>,
  row: WorkspacesRow,
  house: Effect.Effect<House, PyroError>
) => {
  const work = surround(wraps, row, workOf(row), undefined)
  const within = ({ lifecycle, services }: House, payload: unknown, more: Pick<At, "input" | "notify">) =>
    Effect.provide(work(payload, { ...more, lifecycle, registry: lifecycle.registry }), services)
  switch (formOf(row)) {
    case "notices":
      return (payload: unknown) =>
        Stream.unwrap(
          Effect.map(house, (at) => withNotices((notify: Notify) => Effect.scoped(within(at, payload, { notify }))))
        )
    case "pulls":
      return callFromPull((payload: unknown, input: RunInput = {}) =>
        Effect.flatMap(house, (at) => within(at, payload, { input }) as Effect.Effect<PullEvents<unknown>, PyroError>)
      )
    case "events":
      return (payload: unknown) =>
        Stream.unwrap(
          Effect.flatMap(house, (at) =>
            Effect.map(within(at, payload, {}), (events) =>
              Stream.provideContext(
                events as Stream.Stream<unknown, PyroError, HouseServices>,
                at.services
              )))
        )
    default:
      return (payload: unknown) => Effect.flatMap(house, (at) => Effect.scoped(within(at, payload, {})))
  }
}
