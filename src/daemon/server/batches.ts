import { Array as Arr, Cause, Effect, Exit, Option, Pull } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import {
  type PullEvents,
  pullFromStream,
  type PullOperation,
  type StreamingCall
} from "../../contract/rows/event-batches.ts"
import { callOf, type PyroService } from "../../contract/rows/Pyro.ts"
import { type StreamingRow, WINDOW_EVENTS } from "../../contract/wire/rpcs.ts"
import { type AnyEvent, outputBytes } from "../observer.ts"
import type { Acquired } from "./releases.ts"

/** Events batch by batch. An operation without `pull` runs as a stream into a small buffer. */
export const pullOf = (pyro: PyroService, row: StreamingRow): PullOperation<AnyEvent, unknown> => {
  const call = callOf(pyro, row) as StreamingCall<AnyEvent, unknown>
  return call.pull ?? ((payload, input) => pullFromStream(call(payload, input)))
}

/** Maximum wait for an operation's end before its first events are sent, in ms: before any output, and after some. */
const FIRST_EVENT_MS = 30
const AFTER_OUTPUT_MS = 2
/** The first events are sent with this much output, in bytes. */
const FIRST_BATCH_BYTES = 65_536

type Batch = Arr.NonEmptyReadonlyArray<AnyEvent>
type Next = Pull.Pull<Batch, PyroError>

/** Batch by batch. What comes at once is the first batch: most operations end in no time, and each message wakes their client. */
export const batchesOf = (pull: PullEvents<AnyEvent>, acquired: Acquired): Next => {
  const come = (waitMs?: number) => Effect.mapError(pull(waitMs), Option.getOrElse(() => Cause.Done()))
  const next: Next = Effect.flatMap(
    come(),
    (events) => Arr.isReadonlyArrayNonEmpty(events) ? Effect.succeed(events) : next
  )
  let later: Next | undefined
  const first: Next = Effect.gen(function*() {
    const events = [...yield* next]
    for (let bytes = 0; bytes < FIRST_BATCH_BYTES && events.length < WINDOW_EVENTS;) {
      bytes = events.reduce((sum, event) => sum + outputBytes(event), 0)
      const more = yield* Effect.exit(come(bytes > 0 ? AFTER_OUTPUT_MS : FIRST_EVENT_MS))
      if (Exit.isFailure(more)) {
        later = Effect.failCause(more.cause)
        acquired.hasEnded = Pull.isDoneCause(more.cause)
        break
      }
      if (more.value.length === 0) break
      events.push(...more.value)
    }
    later ??= next
    return events as unknown as Batch
  })
  return Effect.suspend(() => later ?? first)
}
