import { Effect, Option } from "effect"
import type { Entry } from "../entry/entry.ts"
import type { EventLog } from "../entry/events.ts"
import { openResidentsOf } from "../residents/open/entry-residents.ts"

/** Facts of a workspace of which one differs after each change that a watcher shows. They cost no look at the disk. */
export type Marks = ReadonlyArray<unknown>

export const marksOf = (entry: Entry): Effect.Effect<Marks> =>
  Effect.gen(function*() {
    const residents = Option.getOrUndefined(yield* openResidentsOf(entry))
    return [
      yield* entry.record.now,
      yield* entry.state.now,
      residents?.commands.journal.changes,
      residents?.network.log.position(),
      residents?.ssh.count(),
      residents?.agentLoan.ofCommand(),
      entry.requests.changes
    ]
  })

export const isSame = (one: Marks | undefined, other: Marks): boolean =>
  one !== undefined && one.length === other.length && one.every((mark, at) => mark === other[at])

/**
 * Time between two looks at what is watched, in ms. Commands, connections and states wake no watcher by themselves: each command would pay for that,
 * also without a watcher. No look comes sooner after the last one, so that a workspace that changes all the time costs ten looks a second.
 */
const LOOK_MS = 100

/** Waits until `hasChanged` or the next event of the log. At most for `mostMs`. */
export const untilChanged = (
  log: EventLog["Service"],
  known: number,
  hasChanged: Effect.Effect<boolean>,
  mostMs: number
): Effect.Effect<void> =>
  Effect.andThen(
    Effect.sleep(Math.min(LOOK_MS, mostMs)),
    Effect.flatMap(hasChanged, (changed) =>
      changed || log.recorded() !== known || mostMs <= LOOK_MS
        ? Effect.void
        : untilChanged(log, known, hasChanged, mostMs - LOOK_MS))
  )
