import { Effect, Stream } from "effect"
import type { PyroError } from "../../contract/errors.ts"
import { recordAgentEvents } from "../agent-events.ts"
import { explainChannelFailure } from "../boot.ts"
import { troubleText } from "../trouble.ts"
import type { Entry } from "./entry.ts"
import type { Generation } from "./generation.ts"

/** Watches over a generation until its scope closes: logs what keeps the guest from running, and calls `onEnd` when its VM is lost. */
export const watch = <R>(
  entry: Entry,
  generation: Generation,
  onEnd: (failure: PyroError) => Effect.Effect<unknown, never, R>
) =>
  Effect.gen(function*() {
    const { health } = generation.guest.vm
    yield* recordAgentEvents(entry, generation.channel).pipe(Effect.interruptible, Effect.forkIn(generation.scope))
    yield* health.troubles.pipe(
      Stream.changes,
      Stream.dropWhile((trouble) => trouble === "none"),
      Stream.runForEach((trouble) => Effect.logWarning(`${entry.id}: ${troubleText(trouble)}`)),
      Effect.interruptible,
      Effect.forkIn(generation.scope)
    )
    yield* health.failure.pipe(
      // A guest that broke the protocol is ended: nobody reaches it, and nobody sees what it does.
      Effect.raceFirst(explainChannelFailure(generation.guest)(generation.channel.failed)),
      Effect.catchAll(onEnd),
      // Also where the caller cannot be interrupted: a fiber inherits that, and its scope would wait for the fiber for ever.
      Effect.interruptible,
      Effect.forkIn(generation.scope)
    )
  })
