import { Effect, Stream, SubscriptionRef } from "effect"
import type { EventEntry, EventsPayload, EventsResult } from "../../../contract/rows/workspace-events.ts"
import { named } from "../../../contract/text/names.ts"
import { snakeCase } from "../../../contract/text/snake.ts"
import type { Entry } from "../../entry/entry.ts"
import { type EventLog, type EventPage, eventPage, type WorkspaceLogEvent } from "../../entry/events.ts"
import { eventText } from "./event-text.ts"

const entryOf = (event: WorkspaceLogEvent): EventEntry => {
  const { _tag, at, ...details } = event
  return {
    at,
    kind: _tag,
    text: eventText(event),
    details: named(Object.entries(details).map(([key, value]) => [snakeCase(key), value as unknown] as const))
  }
}

/** The page, or the next page that has an event. */
const pageWithEvent = (log: EventLog["Service"], folder: string, asked: EventsPayload): Effect.Effect<EventPage> =>
  Effect.gen(function*() {
    const { cursor, follow, limit } = asked
    const known = log.recorded()
    const page = yield* eventPage(folder, cursor, limit)
    if (page.events.length > 0 || !follow) return page
    yield* log.next(known, folder)
    return yield* pageWithEvent(log, folder, { ...asked, cursor: page.nextCursor })
  })

/** Shows the events of a workspace. A follower waits until the workspace is deleted. */
export const showEvents = (
  log: EventLog["Service"],
  { folder: { directory }, isBeingDeleted }: Entry,
  asked: EventsPayload
): Effect.Effect<EventsResult> => {
  const deleted = Stream.runHead(Stream.filter(SubscriptionRef.changes(isBeingDeleted), (isDeleting) => isDeleting))
    .pipe(
      Effect.andThen(eventPage(directory, asked.cursor, asked.limit))
    )
  return Effect.map(
    Effect.raceFirst(pageWithEvent(log, directory, asked), deleted),
    ({ events, nextCursor }) => ({ events: events.map(entryOf), nextCursor })
  )
}
