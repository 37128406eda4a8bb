import { Array as Arr, Cause, Effect, Option, Stream } from "effect"
import type { PullEvents } from "../../../contract/rows/event-batches.ts"
import { redactValue } from "../../../lib/redaction/redact.ts"
import type { SecretSet } from "../../../lib/redaction/secrets.ts"
import { every, type Wrap } from "../wrap.ts"
import { type AnyCall, changed, type Event, type Process } from "./call.ts"

type Sets = ReadonlyArray<SecretSet>

/** Output of a command comes from its log or its filter, without secrets. An export refuses content with a secret. */
const isFiltered = ({ _tag }: Event) => _tag === "Output"

/** Whether a person asked for content with its secrets. */
const isAllowed = (payload: unknown) =>
  typeof payload === "object" && payload !== null && "allowSecrets" in payload && payload.allowSecrets === true

/** An error is `Option` of one at the end of events. */
const inFailure = <E>(sets: Sets, failure: E): E =>
  Option.isOption(failure)
    ? Option.map(failure, (one) => redactValue(sets, one)) as E
    : redactValue(sets, failure)

/** A defect may be anything. An error whose words still have a secret, by a getter, becomes its redacted text. */
const inDefect = (sets: Sets, defect: unknown): unknown => {
  const without = redactValue(sets, defect)
  if (!(without instanceof Error)) return without
  const text = String(without)
  const redactedText = redactValue(sets, text)
  return redactedText === text ? without : redactedText
}

/** Every reason of a cause: work of several fibers ends for several. */
const inCause = <E>(sets: Sets, cause: Cause.Cause<E>): Cause.Cause<E> =>
  sets.length === 0 ? cause : Cause.fromReasons(cause.reasons.map((reason) => {
    if (Cause.isFailReason(reason)) return Cause.makeFailReason(inFailure(sets, reason.error))
    return Cause.isDieReason(reason) ? Cause.makeDieReason(inDefect(sets, reason.defect)) : reason
  }))

const inEvents = <Events extends ReadonlyArray<Event>>(sets: Sets, events: Events) =>
  sets.length === 0 ? events : Arr.map(events, (event) => isFiltered(event) ? event : redactValue(sets, event))

/**
 * Answers, events and errors have no secrets of workspaces.
 *
 * Needs the secrets that an answer may have, and looks for them when the answer exists: the call may have brought some. Stands outside of
 * every other line around answers, so that no line can add a secret after it. Pyro's own calls need the values and enter below.
 */
export const redacted: Wrap<AnyCall, Pick<Process, "secretsOf">> = {
  name: "redacted",
  does: "removes the secrets of workspaces from answers, events and errors",
  because: "outermost around an answer: no line adds a secret after it",
  concerns: every,
  around: (row, call, { secretsOf }) => {
    const redactedCause = (payload: unknown) => <E>(cause: Cause.Cause<E>): Effect.Effect<never, E> =>
      Effect.flatMap(secretsOf(payload), (sets) => Effect.failCause(inCause(sets, cause)))
    const answer = <A, E, R>(work: Effect.Effect<A, E, R>, payload: unknown) =>
      work.pipe(
        Effect.flatMap((result) =>
          isAllowed(payload)
            ? Effect.succeed(result)
            : Effect.map(secretsOf(payload), (sets) => redactValue(sets, result))
        ),
        Effect.catchCause(redactedCause(payload))
      )
    return changed(row, call, {
      answer,
      events: (work, payload) =>
        work.pipe(
          Stream.mapArrayEffect((events) => Effect.map(secretsOf(payload), (sets) => inEvents(sets, events))),
          Stream.catchCause((cause) => Stream.fromEffect(redactedCause(payload)(cause)))
        ),
      pull: (start, payload) =>
        Effect.map(answer(start, payload), (next): PullEvents<Event> => (waitMs) =>
          next(waitMs).pipe(
            Effect.flatMap((events) =>
              events.every(isFiltered)
                ? Effect.succeed(events)
                : Effect.map(secretsOf(payload), (sets) => inEvents(sets, events))
            ),
            Effect.catchCause(redactedCause(payload))
          ))
    })
  }
}
