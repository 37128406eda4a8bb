import { Cause, Effect, identity, Option, Scope } from "effect"
import type { PyroError } from "../contract/errors/errors.ts"
import { call, words } from "../contract/errors/next-step.ts"
import { callFromPull, type PullEvents } from "../contract/rows/event-batches.ts"
import type { Operation } from "../contract/rows/operations.ts"
import { payloadOf } from "../contract/rows/payload-of.ts"
import type { WorkspaceInfo } from "../contract/rows/workspace-info.ts"
import { workspaceStatus } from "../contract/rows/workspace-lifecycle.ts"
import { type DeletePayload, workspaceDelete } from "../contract/rows/workspace-reset.ts"
import { mintedHeaders } from "../contract/wire/minted-ids.ts"
import type { StreamingRow } from "../contract/wire/rpcs.ts"
import { newRequestId } from "../system/processes/identity.ts"
import { deadlineScale } from "../system/settings/deadline-scale.ts"
import { withTimeout } from "../system/waits/effects.ts"
import { isLost, lost, type RequestFailure } from "./connection/failures.ts"
import { inputHeaders, makeInputBuffer } from "./connection/input-buffer.ts"
import type { Connection } from "./connection/over.ts"
import type { Session } from "./connection/session.ts"

/** Maximum repetitions of a request. */
export const AGAIN = 3

/** One request with one result. Repeated after the loss of its daemon if it only reads or had not started. */
export const unary = (session: Session, { annotations, name }: Operation) => (payload: unknown) => {
  const once = Effect.flatMap(session.connection, (connection) =>
    Effect.catchIf(
      connection.ask(name, payload),
      isLost,
      (failure) => Effect.flip(session.failed(connection, failure))
    ))
  const repeatable = (failure: RequestFailure) =>
    isLost(failure) && !failure.isGivenUp && (annotations.readOnly || !failure.mayBeDone)
  return Effect.mapError(
    Effect.retry(once, { times: AGAIN, while: repeatable }),
    (failure) => isLost(failure) ? lost("before it answered; it may have been done") : failure
  )
}

/** `makes` of a row, of any payload and events. */
export interface Makes {
  readonly count: (payload: never) => number
  readonly done: (workspaces: ReadonlyArray<never>) => unknown
}

/** Maximum wait, in ms, until a daemon has undone the creation of a client that is gone. */
const UNDONE_MS = 60_000 * deadlineScale

const LOOK_MS = 50

const newWorkspaceId = () => `ws-${newRequestId().slice(0, 10)}`

const isUnreadable = (cause: Cause.Cause<Option.Option<PyroError>>) =>
  Option.exists(Option.flatten(Cause.findErrorOption(cause)), ({ _tag }) => _tag === "MessageUnreadable")

/** The workspaces of one request, which the client finds again by their ids when the answer is lost. */
const makeMinted = (session: Session, count: number) => {
  const ids = Array.from({ length: count }, newWorkspaceId)
  const status = unary(session, workspaceStatus) as (payload: unknown) => Effect.Effect<WorkspaceInfo, PyroError>
  const remove: (payload: DeletePayload) => Effect.Effect<unknown, PyroError> = unary(session, workspaceDelete)
  const settled = (id: string): Effect.Effect<WorkspaceInfo, PyroError> =>
    Effect.flatMap(
      status({ workspace: id }),
      (info) => info.state === "creating" ? Effect.delay(settled(id), LOOK_MS) : Effect.succeed(info)
    )
  return {
    ids,
    /** The workspaces of a request whose answer was lost. Fails if they do not exist. */
    find: Effect.forEach(ids, settled).pipe(
      Effect.timeoutOrElse({
        duration: UNDONE_MS,
        orElse: () =>
          Effect.fail(lost("before it was done", [call("Look at it", "workspace.status", { workspace: ids[0] })]))
      }),
      Effect.catchIf(
        ({ _tag }) => _tag === "WorkspaceNotFound",
        () => Effect.fail(lost("before it was done, and nothing of it is left", [words("Ask again")]))
      )
    ),
    /** Removes the workspaces of a request that met a defect, or whose answer cannot be read: its caller does not know them. */
    removeAfter: (cause: Cause.Cause<Option.Option<PyroError>>) =>
      Cause.hasDies(cause) || isUnreadable(cause)
        ? withTimeout(
          UNDONE_MS,
          // A failure here would hide the defect.
          Effect.forEach(
            ids,
            (id) => Effect.catchCause(remove(payloadOf("workspace.delete", { workspaces: [id] })), () => Effect.void),
            {
              discard: true
            }
          )
        )
        : Effect.void
  } as const
}

type Events = PullEvents<unknown, RequestFailure>

/** The events of a request. Repeated if its daemon had left before. A lost connection is reported to the session. */
const asking = (
  session: Session,
  ask: (connection: Connection) => Effect.Effect<Events, never, Scope.Scope>
): Effect.Effect<Events, PyroError, Scope.Scope> =>
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    const begin = Effect.flatMap(session.connection, (connection) =>
      Effect.map(Effect.provideService(ask(connection), Scope.Scope, scope), (next) => ({ connection, next })))
    let current = yield* begin
    let times = AGAIN
    const pull: Effect.Effect<ReadonlyArray<unknown>, Option.Option<RequestFailure>> = Effect.catch(
      Effect.suspend(() =>
        current.next()
      ),
      (end) => {
        if (Option.isNone(end) || !isLost(end.value)) return Effect.fail(end)
        return Effect.flatMap(session.failed(current.connection, end.value), (meaning) => {
          if (meaning.mayBeDone || times-- === 0) return Effect.fail(Option.some(meaning))
          const again = Effect.mapError(begin, Option.some)
          return Effect.flatMap(again, (made) => {
            current = made
            return pull
          })
        })
      }
    )
    return () => pull
  })

/** Work with events. Ends with its daemon. */
export const streaming = (session: Session, row: StreamingRow) => {
  const { makes } = row as { readonly makes?: Makes }
  return makes === undefined ? ending(session, row) : making(session, row, makes)
}

const ending = (session: Session, row: StreamingRow) =>
  callFromPull<unknown, unknown, PyroError>((payload, input) =>
    Effect.gen(function*() {
      const inputBuffer = input === undefined ? undefined : yield* makeInputBuffer(input)
      const next = yield* asking(session, (connection) => {
        if (inputBuffer === undefined) return connection.events(row, payload)
        const id = newRequestId()
        return Effect.andThen(
          inputBuffer.play(connection.input(id), 0),
          connection.events(row, payload, inputHeaders(id, input))
        )
      })
      const guard = inputBuffer?.guard ?? identity
      return () => guard(Effect.mapError(next(), Option.map(lostIn(row))))
    })
  )

const lostIn =
  ({ endsWithConnection }: { readonly endsWithConnection?: true }) => (failure: RequestFailure): PyroError =>
    !isLost(failure)
      ? failure
      : lost(
        endsWithConnection
          ? "in the middle of the run, which ended with it"
          : "before it was done; look at what is there"
      )

/** Work that makes workspaces. If the answer is lost, the client finds the workspaces; if it cannot be read, the client removes them. */
const making = (session: Session, row: StreamingRow, { count, done }: Makes) =>
  callFromPull<unknown, unknown, PyroError>((payload) =>
    Effect.gen(function*() {
      const { find, ids, removeAfter } = makeMinted(session, count(payload as never))
      const next = yield* asking(session, (connection) => connection.events(row, payload, mintedHeaders(ids)))
      let isFound = false
      const found = Effect.map(Effect.mapError(find, Option.some), (workspaces) => {
        isFound = true
        return [done(workspaces as never)]
      })
      const pull = Effect.suspend((): Effect.Effect<ReadonlyArray<unknown>, Option.Option<PyroError>> => {
        if (isFound) return Effect.fail(Option.none())
        return Effect.catch(next(), (end) => {
          if (Option.isNone(end)) return Effect.fail(Option.none())
          return isLost(end.value) ? found : Effect.fail(Option.some(end.value))
        }).pipe(Effect.tapCause(removeAfter))
      })
      return () => pull
    })
  )
