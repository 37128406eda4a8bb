import { Cause, type Chunk, Effect, Exit, FiberId, Option, type Scope } from "effect"
import type { PullEvents } from "../contract/event-batches.ts"
import type { Operation } from "../contract/operations.ts"
import { countBytes, recordOperation } from "../system/metrics.ts"
import { atClose } from "../system/scopes.ts"

/** An event of any operation: some carry output of a command. */
export interface AnyEvent {
  readonly _tag: string
  readonly bytes?: unknown
}

export const outputBytes = ({ bytes }: AnyEvent) => bytes instanceof Uint8Array ? bytes.length : 0

/** What an operation came to: `ok`, the code of its error, `interrupted` or `defect`. */
const outcomeOf = (exit: Exit.Exit<unknown, unknown>): string => {
  if (Exit.isSuccess(exit)) return "ok"
  const failure = Cause.failureOption(exit.cause)
  if (Option.isSome(failure)) return (failure.value as { readonly code?: string }).code ?? "defect"
  return Cause.isInterruptedOnly(exit.cause) ? "interrupted" : "defect"
}

const INTERRUPTED = Exit.interrupt(FiberId.none)

/** Starts the span of an operation. `end` takes the first outcome and ignores later ones. */
const begin = ({ name }: Operation) =>
  Effect.clockWith((clock) =>
    Effect.map(Effect.makeSpan(name, { kind: "server", root: true, captureStackTrace: false }), (span) => {
      const startNs = clock.unsafeCurrentTimeNanos()
      let hasEnded = false
      const end = (exit: Exit.Exit<unknown, unknown>) => {
        if (hasEnded) return
        hasEnded = true
        const endNs = clock.unsafeCurrentTimeNanos()
        span.end(endNs, exit)
        recordOperation(name, outcomeOf(exit), Number(endNs - startNs) / 1e6)
      }
      return { span, end }
    })
  )

/** Observes an operation with one answer: its span, its duration and its outcome. */
export const observe = (row: Operation) => <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(
    begin(row),
    ({ end, span }) => Effect.onExit(Effect.withParentSpan(work, span), (exit) => Effect.sync(() => end(exit)))
  )

const countOutput = <Event extends AnyEvent>(events: Chunk.Chunk<Event>) => {
  for (const event of events) {
    const bytes = outputBytes(event)
    if (bytes > 0) countBytes("output", bytes)
  }
  return events
}

/** Observes an operation with events, from its start to its last event. An operation that its caller drops is interrupted. */
export const observeEvents = (row: Operation) =>
<Event extends AnyEvent, E, E2, R>(
  start: Effect.Effect<PullEvents<Event, E>, E2, R>
): Effect.Effect<PullEvents<Event, E>, E2, R | Scope.Scope> =>
  Effect.flatMap(begin(row), ({ end, span }) => {
    const ended = (cause: Cause.Cause<Option.Option<E>>) =>
      Effect.sync(() => {
        // The caller may pull again after an interrupted pull.
        if (Cause.isInterruptedOnly(cause)) return
        const failure = Cause.failureOption(cause)
        if (Option.isNone(failure)) return end(Exit.failCause(cause))
        end(Option.match(failure.value, { onNone: () => Exit.void, onSome: Exit.fail }))
      })
    return atClose(Effect.sync(() => end(INTERRUPTED))).pipe(
      Effect.zipRight(Effect.withParentSpan(start, span)),
      Effect.tapErrorCause((cause) => Effect.sync(() => end(Exit.failCause(cause)))),
      Effect.map((pull): PullEvents<Event, E> => (waitMs) =>
        Effect.tapErrorCause(Effect.map(pull(waitMs), countOutput), ended)
      )
    )
  })
