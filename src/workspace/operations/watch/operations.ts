import { Effect, type Stream } from "effect"
import type { PyroError } from "../../../contract/errors.ts"
import type { WatchPayload, WatchTable } from "../../../contract/operations/watch.ts"
import type { EventsPayload, EventsResult } from "../../../contract/operations/workspace-events.ts"
import type { Lifecycle } from "../../entry/context.ts"
import type { EventLog } from "../../entry/events.ts"
import { showEvents } from "./show-events.ts"
import { watchWorkspaces } from "./watch.ts"

/** The operations that tell what happens to workspaces. */
export interface WatchOperations {
  readonly events: (payload: EventsPayload) => Effect.Effect<EventsResult, PyroError>
  readonly watch: (payload: WatchPayload) => Stream.Stream<WatchTable>
}

export const makeWatchOperations = ({ registry }: Lifecycle, log: EventLog["Type"]): WatchOperations => ({
  events: (payload) => Effect.flatMap(registry.find(payload.workspace), (entry) => showEvents(log, entry, payload)),
  watch: (payload) => watchWorkspaces(log, registry.reachable.entries, payload)
})
