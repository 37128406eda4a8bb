import { Effect, Option, Scope } from "effect"
import type { PyroError } from "../contract/errors/errors.ts"
import { callFromPull, type PullEvents } from "../contract/rows/event-batches.ts"
import { mintedHeaders } from "../contract/wire/minted-ids.ts"
import { INPUT_HEADER, type StreamingRow } from "../contract/wire/rpcs.ts"
import { newRequestId } from "../system/processes/identity.ts"
import type { Connection } from "./connection/connection.ts"
import { isLost, lost, type RequestFailure } from "./connection/failures.ts"
import { makeInputBuffer } from "./connection/input-buffer.ts"
import type { Session } from "./connection/session.ts"
import { makeMinted, type Makes } from "./made-workspaces.ts"
import { AGAIN } from "./unary.ts"

type Events = PullEvents<unknown, RequestFailure>

/** The events of a request. It is asked again if its daemon had left before; a lost connection is reported to the session. */
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
  callFromPull<unknown, unknown>((payload, input) =>
    Effect.gen(function*() {
      const inputBuffer = input === undefined ? undefined : yield* makeInputBuffer(input)
      const next = yield* asking(session, (connection) => {
        if (inputBuffer === undefined) return connection.events(row, payload)
        const id = newRequestId()
        return Effect.andThen(
          inputBuffer(connection.input(id), 0),
          connection.events(row, payload, { [INPUT_HEADER]: id })
        )
      })
      return () => Effect.mapError(next(), Option.map(lostIn(row)))
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

/** Work that makes workspaces. A lost answer is found again; the workspaces of an unreadable one are removed. */
const making = (session: Session, row: StreamingRow, { count, done }: Makes) =>
  callFromPull<unknown, unknown>((payload) =>
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
