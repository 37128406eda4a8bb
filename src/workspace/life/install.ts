import { Effect, Stream } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import type { Entry, Generation } from "../entry/entry.ts"
import { troubleText } from "../entry/standstill.ts"
import { recordAgentEvents } from "./agent-events.ts"
import { explainChannelFailure } from "./boot.ts"

/** Watches a generation until its scope closes: logs obstacles of the guest, and calls `onEnd` at the loss of its VM. */
export const watch = <R>(
  entry: Entry,
  generation: Generation,
  onEnd: (failure: PyroError) => Effect.Effect<unknown, never, R>
) =>
  Effect.gen(function*() {
    const { health } = generation.guest.vm
    yield* Effect.forkIn(recordAgentEvents(entry, generation.channel), generation.scope)
    yield* health.troubles.pipe(
      Stream.changes,
      Stream.dropWhile((trouble) => trouble === "none"),
      Stream.runForEach((trouble) => Effect.logWarning(`${entry.id}: ${troubleText(trouble)}`)),
      Effect.forkIn(generation.scope)
    )
    yield* health.failure.pipe(
      // A guest that broke the protocol is ended, since it is out of reach and out of sight.
      Effect.raceFirst(explainChannelFailure(generation.guest)(generation.channel.failed)),
      Effect.catch(onEnd),
      Effect.forkIn(generation.scope)
    )
  })
