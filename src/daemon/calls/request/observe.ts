import { Cause, Effect, Exit, Option, type Scope, type Tracer } from "effect"
import type { PullEvents } from "../../../contract/rows/event-batches.ts"
import type { CliSurface } from "../../../contract/rows/operation.ts"
import type { Operation } from "../../../contract/rows/operations.ts"
import { countBytes, recordOperation } from "../../../system/telemetry/metrics.ts"
import { outcomeOf } from "../../../system/telemetry/spans.ts"
import { atClose } from "../../../system/waits/effects.ts"

/** An event of any operation. Some have output of a command. */
export interface AnyEvent {
  readonly _tag: string
  readonly bytes?: unknown
}

export const outputBytes = ({ bytes }: AnyEvent) => bytes instanceof Uint8Array ? bytes.length : 0

const INTERRUPTED = Exit.interrupt()

/** Starts the observation of an operation. `end` takes the first outcome and ignores later ones. */
const begin = ({ name }: Operation, span: Tracer.Span | undefined) =>
  Effect.clockWith((clock) =>
    Effect.sync(() => {
      const startNs = clock.monotonicTimeNanosUnsafe()
      let hasEnded = false
      return (exit: Exit.Exit<unknown, unknown>) => {
        if (hasEnded) return
        hasEnded = true
        span?.end(clock.currentTimeNanosUnsafe(), exit)
        recordOperation(name, outcomeOf(exit), Number(clock.monotonicTimeNanosUnsafe() - startNs) / 1e6)
      }
    })
  )

type End = Effect.Success<ReturnType<typeof begin>>

/** Observes the result of `use`, in a span if it has a use. */
const observed = <A, E, R, B, E2, R2>(
  row: Operation,
  hasSpan: boolean,
  work: Effect.Effect<A, E, R>,
  use: (work: Effect.Effect<A, E, R>, end: End) => Effect.Effect<B, E2, R2>
): Effect.Effect<B, E2, R2> =>
  hasSpan
    ? Effect.flatMap(
      Effect.makeSpan(row.name, { kind: "server", root: true }),
      (span) => Effect.flatMap(begin(row, span), (end) => use(Effect.withParentSpan(work, span) as typeof work, end))
    )
    : Effect.flatMap(begin(row, undefined), (end) => use(work, end))

/** Observes an operation with one answer: its span, its duration and its outcome. */
export const observe = (row: Operation, hasSpan = true) => <A, E, R>(work: Effect.Effect<A, E, R>) =>
  observed(row, hasSpan, work, (work, end) => Effect.onExit(work, (exit) => Effect.sync(() => end(exit))))

/** Events with the result of an operation. Their reader need not pull the end. */
const RESULTS = new Set(["Exited", "Detached", "Ready", "Forked", "Taken", "Exported", "Ended"])

/**
 * Observes an operation with events, from its start to its result or its end. An operation that its caller drops earlier counts as interrupted.
 */
export const observeEvents = (row: Operation, hasSpan = true) => {
  const { stdin }: CliSurface = row.cli
  return <Event extends AnyEvent, E, E2, R>(
    start: Effect.Effect<PullEvents<Event, E>, E2, R>
  ): Effect.Effect<PullEvents<Event, E>, E2, R | Scope.Scope> =>
    observed(row, hasSpan, start, (start, end) => {
      const look = (events: ReadonlyArray<Event>) => {
        for (const event of events) {
          // An export has output, too, which counts as an export.
          if (stdin !== undefined) countBytes("output", outputBytes(event))
          if (RESULTS.has(event._tag)) end(Exit.void)
        }
        return events
      }
      const ended = (cause: Cause.Cause<Option.Option<E>>) =>
        Effect.sync(() => {
          // The caller may pull again after an interrupted pull.
          if (Cause.hasInterruptsOnly(cause)) return
          const failure = Cause.findErrorOption(cause)
          if (Option.isNone(failure)) return end(Exit.failCause(cause))
          end(Option.match(failure.value, { onNone: () => Exit.void, onSome: Exit.fail }))
        })
      return atClose(Effect.sync(() => end(INTERRUPTED))).pipe(
        Effect.andThen(start),
        Effect.tapCause((cause) => Effect.sync(() => end(Exit.failCause(cause)))),
        Effect.map((pull): PullEvents<Event, E> => (waitMs) => Effect.tapCause(Effect.map(pull(waitMs), look), ended))
      )
    })
}
