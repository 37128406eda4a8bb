import { Effect, Stream } from "effect"
import { ChannelFailed, type PyroError } from "../contract/errors/errors.ts"
import type { Notice } from "../contract/rows/notice.ts"
import type { Folding } from "../contract/rows/operation.ts"
import { makeProgress } from "./progress.ts"

/** Shows the notices of an operation, prints nothing else, and gives the result. */
export const withProgress = <Payload, Event extends { readonly _tag: string }, Result>(
  row: { readonly fold: (payload: Payload) => Folding<Event, Result> },
  payload: Payload,
  events: Stream.Stream<Event, PyroError>
) =>
  Effect.gen(function*() {
    const progress = yield* makeProgress
    const folding = row.fold(payload)
    const each = (event: Event) => {
      folding.add(event)
      return event._tag === "Notice" ? progress.show(event as unknown as Notice) : Effect.void
    }
    yield* Stream.runForEach(events, each).pipe(Effect.ensuring(progress.clear))
    return folding.result() ?? (yield* new ChannelFailed({ detail: "the stream of events ended without its last" }))
  })
