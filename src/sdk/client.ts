import { Effect, Layer, Option, Stream } from "effect"
import { projectHeaders } from "../contract/caller-project.ts"
import type { PyroError } from "../contract/errors.ts"
import { callFromFirst } from "../contract/event-batches.ts"
import type { StreamingRow } from "../contract/event-rpcs.ts"
import { INPUT_HEADER } from "../contract/input-rpcs.ts"
import type { Operation } from "../contract/operations.ts"
import { Pyro, type PyroService } from "../contract/Pyro.ts"
import { newRequestId } from "../system/identity.ts"
import { Paths } from "../system/Paths.ts"
import { makeExec, sinkOf } from "./exec.ts"
import { firstEvents } from "./first-events.ts"
import { makeInputBuffer } from "./input-buffer.ts"
import { nested } from "./nested.ts"
import { type ConnectionLost, failureOf, isLost, lost, makeSession, methodOf, type Session } from "./session.ts"
import { daemonRuns as runs, type StartDaemon } from "./start-daemon.ts"
import type { StartedExec } from "./started-exec.ts"

/** How often a request is made again. */
const AGAIN = 3

/** One request with one result. Asked again after the loss of its daemon if it only reads or had not started. */
const unary = (session: Session, { annotations, name }: Operation) => (payload: unknown) => {
  const once = Effect.flatMap(
    Effect.zip(session.client, projectHeaders),
    ([client, headers]) =>
      (methodOf(client, name)(payload, { headers }) as Effect.Effect<unknown, unknown>).pipe(
        Effect.catchAllCause((cause) => Effect.failCause(failureOf(cause))),
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

/** Work with events. Ends with its daemon. */
const streaming = (session: Session, row: StreamingRow) =>
  callFromFirst<unknown, unknown>((payload, input) =>
    Effect.gen(function*() {
      const inputBuffer = input === undefined ? undefined : yield* makeInputBuffer(input)
      const once = Effect.gen(function*() {
        const client = yield* session.client
        const id = newRequestId()
        if (inputBuffer !== undefined) yield* inputBuffer(sinkOf(client, id), 0)
        const noted = (failure: PyroError | ConnectionLost): Effect.Effect<never, PyroError | ConnectionLost> =>
          isLost(failure) ? Effect.flip(session.failed(client, failure)) : Effect.fail(failure)
        const first = firstEvents<unknown>(
          client,
          row,
          payload,
          inputBuffer === undefined ? {} : { [INPUT_HEADER]: id }
        )
        const { events, next, rest } = yield* Effect.catchAll(first, noted)
        const notedNext = next && Effect.catchAll(
          next,
          Option.match({
            onNone: () => Effect.fail(Option.none()),
            onSome: (failure) => Effect.mapError(noted(failure), (why) => Option.some(lostIn(row)(why)))
          })
        )
        return {
          events,
          rest: rest && Stream.mapError(Stream.catchAll(rest, noted), lostIn(row)),
          ...(notedNext === undefined ? {} : { next: notedNext })
        }
      })
      const notDone = (failure: PyroError | ConnectionLost) => isLost(failure) && !failure.mayBeDone
      return yield* Effect.mapError(Effect.retry(once, { times: AGAIN, while: notDone }), lostIn(row))
    })
  )

const lostIn =
  ({ endsWithConnection }: { readonly endsWithConnection?: true }) => (failure: PyroError | ConnectionLost) =>
    !isLost(failure)
      ? failure
      : lost(
        endsWithConnection
          ? "in the middle of the run, which ended with it"
          : "before it was done; look at what is there"
      )

const isResumable = ({ resumable }: { readonly resumable?: true }) => resumable === true

const callOf = (session: Session, row: Operation, started: StartedExec | undefined) =>
  row.kind === "unary"
    ? unary(session, row)
    : isResumable(row)
    ? makeExec(session, row, started)
    : streaming(session, row)

/** Pyro behind the daemon of this installation, which is started when there is none. */
export const layerDaemon = (start: StartDaemon, started?: StartedExec): Layer.Layer<Pyro, PyroError> =>
  Layer.scoped(
    Pyro,
    Effect.gen(function*() {
      // The session outlives this Effect, so it gets its services now.
      const session = yield* makeSession(start, yield* Paths, started)
      return nested((row) => callOf(session, row, started)) as PyroService
    })
  ).pipe(Layer.provide(Paths.layer))

/** Whether a daemon of this version already runs, so that a request starts none. */
export const daemonRuns = (version: string) => Effect.provide(runs(version), Paths.layer)
