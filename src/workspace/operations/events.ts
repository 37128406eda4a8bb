import { Effect } from "effect"
import type { EventEntry, EventsPayload, EventsResult } from "../../contract/rows/workspace-events.ts"
import { count } from "../../contract/text/count.ts"
import { named } from "../../contract/text/names.ts"
import { printable, typed } from "../../contract/text/printable.ts"
import { snakeCase } from "../../contract/text/snake.ts"
import type { Entry } from "../entry/entry.ts"
import { type EventLog, type EventPage, eventPage, type WorkspaceLogEvent } from "../entry/events.ts"

const ofSnapshot = ({ snapshot }: { readonly snapshot?: string | undefined }) =>
  snapshot === undefined ? "" : ` snapshot ${snapshot}`

const portOf = (
  { guestPort, hostPort, service }: Extract<WorkspaceLogEvent, { readonly _tag: "port_published" | "port_unpublished" }>
) =>
  `port ${guestPort} of the guest${service === undefined ? "" : ` (service ${service})`}${
    hostPort === undefined ? "" : ` on 127.0.0.1:${hostPort}`
  }`

const loginOf = ({ fingerprint, host, user }: {
  readonly fingerprint: string
  readonly host: string
  readonly user: string
}) => `a login as ${user} to ${host} with ${fingerprint}`

/** An event as a sentence. */
const sentenceOf = (event: WorkspaceLogEvent): string => {
  switch (event._tag) {
    case "created":
      return `created from ${event.snapshot === undefined ? event.environment : `saved snapshot ${event.snapshot}`}`
    case "started":
      return "started"
    case "stopped":
      return "stopped"
    case "paused":
      return event.unusedSeconds === undefined
        ? "paused: its memory is on disk"
        : `paused: nothing used it for ${event.unusedSeconds} s; its memory is on disk`
    case "pause_failed":
      return `runs on, though nothing uses it: it could not be paused: ${event.detail}`
    case "resumed":
      return "resumed"
    case "died":
      return `its microVM ended by itself: ${event.detail}`
    case "expired":
      return `expired: nothing used it for ${event.ttlSeconds} s`
    case "seed":
      return `seeded from ${event.from ?? "nothing"}: ${count(event.files, "file")}, ${count(event.bytes, "byte")}`
    case "sync_push":
      return `pushed from ${event.from}${event.to === undefined ? "" : ` to ${event.to}`}: ${
        count(event.files, "file")
      }, ${count(event.bytes, "byte")}, ${count(event.conflicts, "conflict")}`
    case "import":
      return `copied ${event.from} to ${event.to}: ${count(event.files, "file")}, ${count(event.bytes, "byte")}`
    case "export":
      return `exported ${event.kind}${event.path === undefined ? "" : ` ${event.path}`} to ${
        event.to === "-" ? "the caller" : event.to
      }: ${
        event.kind === "changes"
          ? `a diff of ${count(event.changedFiles ?? 0, "file")}`
          : event.changedFiles === undefined
          ? count(event.files, "file")
          : count(event.changedFiles, "changed file")
      }, ${count(event.bytes, "byte")}${event.kind === "changes" ? " written" : ""}`
    case "export_asked":
      return `an export (${event.kind}) to ${event.to} waits for the user, as ${event.request}`
    case "export_answered":
      return `the user ${event.decision === "allow" ? "allowed" : "denied"} the export to ${event.to}`
    case "reset":
      if (event.candidate !== undefined) return `candidate ${event.candidate} of a try became the workspace`
      return `reset to${event.snapshot === undefined ? " the baseline" : ofSnapshot(event)}`
    case "rewind":
      return `rewound to point ${event.to}`
    case "snapshot":
      return `snapshot ${event.name} taken, of ${event.memory ? "memory and disk" : "the disk"}`
    case "snapshot_delete":
      return `snapshot ${event.name} deleted`
    case "snapshot_save":
      return `saved as ${event.name}, with ${event.memory ? "memory and disk" : "the disk alone"}`
    case "fork":
      return `forked${ofSnapshot(event)} as ${event.to.join(", ")}`
    case "forked":
      return `created as a fork of ${event.from}${ofSnapshot(event)}`
    case "network":
      return event.allowOnce === undefined
        ? `network policy set to ${event.networkPolicy}`
        : `one connection allowed to ${event.allowOnce.join(", ")}`
    case "port_published":
      return `published ${portOf(event)}`
    case "port_unpublished":
      return `unpublished ${portOf(event)}`
    case "shell_opened":
      return `shell ${event.shellId} opened: ${event.command.length === 0 ? "login shell" : typed(event.command)}`
    case "shell_closed":
      return `shell ${event.shellId} ended: ${event.outcome}`
    case "ssh_opened":
      return `an SSH client logged in as ${event.user}`
    case "ssh_closed":
      return `the SSH clients of ${event.user} left, after ${count(event.connections, "connection")}, ` +
        `${count(event.sessions, "program")} and ${count(event.sentBytes, "byte")} to them`
    case "ssh_agent_lent":
      return `an SSH agent is lent for ${event.hosts.join(", ")}`
    case "ssh_agent_ended":
      return `the SSH agent for ${event.hosts.join(", ")} is no longer lent`
    case "ssh_login_asked":
      return `${loginOf(event)} waits for you as ${event.request}`
    case "ssh_login_answered":
      return `${loginOf(event)} was ${event.decision === "allow" ? "allowed" : "denied"}`
    case "ssh_login":
      return `the lent SSH agent signed ${loginOf(event)}`
    case "ssh_agent_refused":
      return `the lent SSH agent refused ${event.reason}`
    case "ssh_agent_flood":
      return `the guest used the lent SSH agent ${count(event.events, "more time")} within a minute`
    case "service_started":
      return `service ${event.name} started${event.restarts === 0 ? "" : `, restart ${event.restarts}`}`
    case "service_ready":
      return `service ${event.name} is ready after ${Math.round(event.readyMs)} ms`
    case "service_exited":
      return `service ${event.name} ended: ${event.outcome}${event.status === undefined ? "" : ` ${event.status}`}${
        event.detail === undefined ? "" : `, ${event.detail}`
      }`
    case "service_stopped":
      return `service ${event.name} stopped`
    case "agent":
      return `the guest's agent reports (${event.level}): ${event.text}`
  }
}

/** Maximum characters of a sentence. The details have the whole. */
const MOST_CHARACTERS = 2_000

const cut = (text: string) => text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text

/** An event as a sentence that is safe to print: parts of it come from the guest. */
export const eventText = (event: WorkspaceLogEvent): string => cut(printable(sentenceOf(event)))

/** An event for people and programs. */
export const entryOf = (event: WorkspaceLogEvent): EventEntry => {
  const { _tag, at, ...details } = event
  return {
    at,
    kind: _tag,
    text: eventText(event),
    details: named(Object.entries(details).map(([key, value]) => [snakeCase(key), value as unknown] as const))
  }
}

/** The requested page, or for a follower the next page that has an event. */
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
  { deletion, folder: { directory } }: Entry,
  asked: EventsPayload
): Effect.Effect<EventsResult> => {
  const deleted = Effect.andThen(deletion.begun, eventPage(directory, asked.cursor, asked.limit))
  return Effect.map(
    Effect.raceFirst(pageWithEvent(log, directory, asked), deleted),
    ({ events, nextCursor }) => ({ events: events.map(entryOf), nextCursor })
  )
}
