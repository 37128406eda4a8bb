import { Effect } from "effect"
import type { Operation } from "../contract/rows/operations.ts"
import { isLost, lost, type RequestFailure } from "./connection/failures.ts"
import type { Session } from "./connection/session.ts"

/** How often a request is made again. */
export const AGAIN = 3

/** One request with one result. Asked again after the loss of its daemon if it only reads or had not started. */
export const unary = (session: Session, { annotations, name }: Operation) => (payload: unknown) => {
  const once = Effect.flatMap(session.connection, (connection) =>
    Effect.catchIf(
      connection.ask(name, payload),
      isLost,
      (failure) => Effect.flip(session.failed(connection, failure))
    ))
  const repeatable = (failure: RequestFailure) => isLost(failure) && (annotations.readOnly || !failure.mayBeDone)
  return Effect.mapError(
    Effect.retry(once, { times: AGAIN, while: repeatable }),
    (failure) => isLost(failure) ? lost("before it answered; it may have been done") : failure
  )
}
