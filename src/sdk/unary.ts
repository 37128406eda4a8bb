import { Effect } from "effect"
import type { PyroError } from "../contract/errors/errors.ts"
import type { Operation } from "../contract/rows/operations.ts"
import { projectHeaders } from "../contract/wire/caller-project.ts"
import { type ConnectionLost, failureOf, isLost, lost, methodOf, type Session } from "./session.ts"

/** How often a request is made again. */
export const AGAIN = 3

/** One request with one result. Asked again after the loss of its daemon if it only reads or had not started. */
export const unary = (session: Session, { annotations, name }: Operation) => (payload: unknown) => {
  const once = Effect.flatMap(
    Effect.zip(session.client, projectHeaders),
    ([client, headers]) =>
      (methodOf(client, name)(payload, { headers }) as Effect.Effect<unknown, unknown>).pipe(
        Effect.catchCause((cause) => Effect.failCause(failureOf(cause))),
        Effect.catchIf(isLost, (failure) => Effect.flip(session.failed(client, failure)))
      )
  )
  const repeatable = (failure: PyroError | ConnectionLost) =>
    isLost(failure) && (annotations.readOnly || !failure.mayBeDone)
  return Effect.mapError(
    Effect.retry(once, { times: AGAIN, while: repeatable }),
    (failure) => isLost(failure) ? lost("before it answered; it may have been done") : failure
  )
}
