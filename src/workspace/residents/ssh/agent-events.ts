import { Effect } from "effect"
import type { NewEvent } from "../../entry/events.ts"
import { makeWaitedBucket } from "./bucket.ts"

/** Events of a lent agent at once: a person's `git push` makes one or three. */
const AT_ONCE = 30
const PER_SECOND = 0.5
/** Time between two events of a flood, in ms. */
const FLOOD_MS = 60_000

/**
 * Records what programs of the guest do with a lent agent. A guest that asks all the time does not fill the log: above the limit, one event a minute
 * has the number of the others. The Scope ends the last of these.
 */
export const makeAgentEvents = (record: (event: NewEvent) => Effect.Effect<void>) =>
  Effect.map(Effect.scope, (scope) => {
    const bucket = makeWaitedBucket(AT_ONCE, PER_SECOND)
    let left = 0
    const reportLater = Effect.sleep(FLOOD_MS).pipe(
      Effect.andThen(Effect.suspend(() => {
        const events = left
        left = 0
        return record({ _tag: "ssh_agent_flood", events })
      })),
      Effect.forkIn(scope)
    )
    return (event: NewEvent): Effect.Effect<void> =>
      Effect.flatMap(bucket.take, (taken) => {
        if (taken) return record(event)
        left += 1
        return left === 1 ? Effect.asVoid(reportLater) : Effect.void
      })
  })
