import { Effect, Stream } from "effect"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import type { AgentEvent } from "../../../lib/guest-channel/model/calls.ts"
import { monotonicMs } from "../../../system/waits/time.ts"
import type { Generation } from "../../entry/current-generation.ts"
import type { Entry } from "../../entry/entry.ts"
import { type EventLog, recordEvent } from "../../entry/events.ts"
import type { GuestLost } from "../../entry/resident.ts"
import { troubleText } from "../../entry/standstill.ts"
import { explainChannelFailure } from "./ended.ts"

// The agent sends at most ten events a second. A hostile guest sends more, and must not fill the host's disk.

/** Number of events of a microVM that are recorded in a row. */
const BURST = 20
/** Time until one more event may be recorded, in ms. */
const REFILL_MS = 10_000

/** Whether one more event may be recorded, by the monotonic clock. */
export const makeAllowance = (startMs: number) => {
  let left = BURST
  let refilledAtMs = startMs
  return (nowMs: number): boolean => {
    const refills = Math.floor((nowMs - refilledAtMs) / REFILL_MS)
    left = Math.min(BURST, left + refills)
    refilledAtMs += refills * REFILL_MS
    if (left === 0) return false
    left--
    return true
  }
}

const log = ({ id }: Entry, { level, text }: AgentEvent) => {
  const line = `${id}: its agent: ${text}`
  return level === "info" ? Effect.logInfo(line) : level === "warning" ? Effect.logWarning(line) : Effect.logError(line)
}

/** Writes the events of a guest's agent to the daemon's log and to the workspace's event log, until the channel ends. */
export const recordAgentEvents = (
  entry: Entry,
  { events }: Pick<GuestChannel, "events">
): Effect.Effect<void, never, EventLog> =>
  Effect.flatMap(monotonicMs, (startMs) => {
    const isAllowed = makeAllowance(startMs)
    return Stream.runForEach(events, (event) =>
      Effect.flatMap(monotonicMs, (nowMs) =>
        isAllowed(nowMs)
          ? Effect.andThen(log(entry, event), recordEvent(entry.folder.directory, { _tag: "agent", ...event }))
          : Effect.void))
  })

/** Watches a generation until its scope closes: logs obstacles of the guest, and calls `onEnd` at the loss of its VM. */
export const watch = <R>(
  entry: Entry,
  generation: Generation,
  onEnd: (failure: GuestLost) => Effect.Effect<unknown, never, R>
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
      // A guest that broke the protocol is ended, because it can no longer be controlled.
      Effect.raceFirst(explainChannelFailure(generation.guest)(generation.channel.failed)),
      Effect.catch(onEnd),
      Effect.forkIn(generation.scope)
    )
  })
