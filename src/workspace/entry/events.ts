import { Context, Effect, Layer, Schema } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { redactValue } from "../../lib/redaction/redact.ts"
import { SecretRegistry } from "../../lib/redaction/secrets.ts"
import { attempt } from "../../system/files/failure.ts"
import { openLineLog, readFrom } from "../../system/files/line-log.ts"
import { countBytes } from "../../system/telemetry/metrics.ts"
import { waitFor } from "../../system/waits/signal.ts"
import { nowIso } from "../../system/waits/time.ts"

const at = Schema.String

/** A port of the guest, and of the host while the host listened. */
const port = {
  guestPort: Schema.Int,
  hostPort: Schema.optional(Schema.Int),
  service: Schema.optional(Schema.String)
}

/** A login with a lent SSH agent. The guest chose the user. */
const login = { host: Schema.String, user: Schema.String, fingerprint: Schema.String }

/** One crossing between the host and a workspace, or a step of its life. Paths are the host's, URLs have no credentials. */
const asked = {
  request: Schema.String,
  kind: Schema.Literals(["file", "directory", "archive", "patch", "changes"]),
  to: Schema.String
}

const Event = Schema.Union([
  Schema.TaggedStruct("created", { at, environment: Schema.String, snapshot: Schema.optional(Schema.String) }),
  Schema.TaggedStruct("started", { at }),
  Schema.TaggedStruct("stopped", { at }),
  /** The memory is on disk, and the microVM has ended. With the time without a use, if no request asked for the pause. */
  Schema.TaggedStruct("paused", { at, unusedSeconds: Schema.optional(Schema.Int) }),
  /** A workspace that nothing used could not be paused, and runs on. Recorded once for each reason in a row. */
  Schema.TaggedStruct("pause_failed", { at, detail: Schema.String }),
  Schema.TaggedStruct("resumed", { at }),
  /** The microVM ended without a request. The detail has the end of the guest's console. */
  Schema.TaggedStruct("died", { at, detail: Schema.String }),
  /** The last event: the deletion removes the log. */
  Schema.TaggedStruct("expired", { at, ttlSeconds: Schema.Int }),
  Schema.TaggedStruct("seed", { at, from: Schema.optional(Schema.String), files: Schema.Int, bytes: Schema.Number }),
  Schema.TaggedStruct("sync_push", {
    at,
    from: Schema.String,
    /** Directory of the workspace. Absent for /workspace itself. */
    to: Schema.optional(Schema.String),
    files: Schema.Int,
    bytes: Schema.Number,
    conflicts: Schema.Int
  }),
  Schema.TaggedStruct("import", {
    at,
    from: Schema.String,
    /** Path of the copy in the guest. */
    to: Schema.String,
    files: Schema.Int,
    bytes: Schema.Number
  }),
  Schema.TaggedStruct("export", {
    at,
    kind: Schema.Literals(["file", "directory", "archive", "patch", "changes", "disk"]),
    /** Exported path of the workspace. Absent for a whole diff. */
    path: Schema.optional(Schema.String),
    to: Schema.String,
    files: Schema.Int,
    /** Number of changed files in a patch. Absent for others, and in older logs. */
    changedFiles: Schema.optional(Schema.Int),
    bytes: Schema.Number,
    digest: Schema.optional(Schema.String)
  }),
  /** An export waits for the user, and the user has answered. */
  Schema.TaggedStruct("export_asked", { at, ...asked }),
  Schema.TaggedStruct("export_answered", { at, ...asked, decision: Schema.Literals(["allow", "deny"]) }),
  /** Later events belong to the current state of the workspace. */
  // `candidate`: the one of a try that became the workspace.
  Schema.TaggedStruct("reset", {
    at,
    snapshot: Schema.optional(Schema.String),
    candidate: Schema.optional(Schema.String)
  }),
  /** The disk is that of a point before some commands. */
  Schema.TaggedStruct("rewind", { at, to: Schema.String }),
  Schema.TaggedStruct("snapshot", { at, name: Schema.String, memory: Schema.Boolean }),
  Schema.TaggedStruct("snapshot_delete", { at, name: Schema.String }),
  /** Saved for new workspaces. The saved snapshot outlives this one. */
  Schema.TaggedStruct("snapshot_save", { at, name: Schema.String, memory: Schema.Boolean }),
  /** Event of the forked workspace. */
  Schema.TaggedStruct("fork", { at, to: Schema.Array(Schema.String), snapshot: Schema.optional(Schema.String) }),
  /** Event of the fork: its beginning. */
  Schema.TaggedStruct("forked", { at, from: Schema.String, snapshot: Schema.optional(Schema.String) }),
  /** A change of the network policy. */
  Schema.TaggedStruct("network", {
    at,
    networkPolicy: Schema.String,
    allowHosts: Schema.Array(Schema.String),
    denyHosts: Schema.Array(Schema.String),
    allowIps: Schema.Array(Schema.String),
    /** Hosts that a request allowed once, beside the policy. */
    allowOnce: Schema.optional(Schema.Array(Schema.String)),
    packageCache: Schema.optional(Schema.Boolean),
    trustHostCertificates: Schema.optional(Schema.Boolean)
  }),
  /** The host listens for a port of the guest, from now on or no longer. */
  Schema.TaggedStruct("port_published", { at, ...port }),
  Schema.TaggedStruct("port_unpublished", { at, ...port }),
  Schema.TaggedStruct("shell_opened", { at, shellId: Schema.String, command: Schema.Array(Schema.String) }),
  Schema.TaggedStruct("shell_closed", { at, shellId: Schema.String, outcome: Schema.String }),
  /**
   * SSH clients log in as this user of the guest, from now on or no longer: files, programs and ports of the guest are open to them. Connections with at most
   * a minute between them are one visit. The counts are of its connections, programs and bytes to the clients.
   */
  Schema.TaggedStruct("ssh_opened", { at, user: Schema.String }),
  Schema.TaggedStruct("ssh_closed", {
    at,
    user: Schema.String,
    connections: Schema.Int,
    sessions: Schema.Int,
    sentBytes: Schema.Number
  }),
  /** A person lends an SSH agent for logins to these hosts, from now on or no longer. */
  Schema.TaggedStruct("ssh_agent_lent", { at, hosts: Schema.Array(Schema.String) }),
  Schema.TaggedStruct("ssh_agent_ended", { at, hosts: Schema.Array(Schema.String) }),
  /** A login with an agent that is lent for the life of the workspace: it waits for the user, is answered, and is signed. */
  Schema.TaggedStruct("ssh_login_asked", { at, request: Schema.String, ...login }),
  Schema.TaggedStruct("ssh_login_answered", {
    at,
    request: Schema.String,
    ...login,
    decision: Schema.Literals(["allow", "deny"])
  }),
  Schema.TaggedStruct("ssh_login", { at, ...login }),
  /** Refusal of such an agent to serve the guest. */
  Schema.TaggedStruct("ssh_agent_refused", { at, reason: Schema.String }),
  /** Number of refusals and logins that the log leaves out, because the guest asked too often. */
  Schema.TaggedStruct("ssh_agent_flood", { at, events: Schema.Int }),
  Schema.TaggedStruct("service_started", { at, name: Schema.String, restarts: Schema.Int }),
  Schema.TaggedStruct("service_ready", { at, name: Schema.String, readyMs: Schema.Number }),
  Schema.TaggedStruct("service_exited", {
    at,
    name: Schema.String,
    outcome: Schema.String,
    status: Schema.optional(Schema.Int),
    detail: Schema.optional(Schema.String)
  }),
  Schema.TaggedStruct("service_stopped", { at, name: Schema.String }),
  /** Event of the guest's agent, such as a process that the guest's kernel killed for lack of memory. */
  Schema.TaggedStruct("agent", { at, level: Schema.Literals(["info", "warning", "error"]), text: Schema.String })
])
export type WorkspaceLogEvent = typeof Event.Type
type WithoutTime<E> = E extends unknown ? Omit<E, "at"> : never
/** An event before it is recorded. */
export type NewEvent = WithoutTime<WorkspaceLogEvent>

const Line = Schema.fromJsonString(Event)

const countCrossing = (event: WithoutTime<WorkspaceLogEvent>) => {
  if ("bytes" in event) {
    countBytes(event._tag === "sync_push" || event._tag === "import" ? "push" : event._tag, event.bytes)
  }
}

const fileOf = (folder: string) => path.join(folder, "events.jsonl")

/** Maximum number of bytes that pyro reads from the end of the log: some ten thousand events. */
const MOST_BYTES = 16 * 1024 * 1024

/** Maximum bytes of the lines of a page, and what each of its events takes beside its line: its sentence, and its frame. */
const PAGE_BYTES = 12 * 1024 * 1024
const BESIDE_BYTES = 8 * 1024

/** The event logs of an installation's workspaces. */
export class EventLog extends Context.Service<EventLog, {
  /** Appends to the log of the workspace with this folder. Never fails, since the event cannot be undone. */
  readonly record: (folder: string, event: NewEvent) => Effect.Effect<void>
  /** Number of events that this process has recorded, of all workspaces. */
  readonly recorded: () => number
  /** Waits for an event of this workspace, or of any workspace without `folder`. Returns at once if `recorded` is not `known` any more. */
  readonly next: (known: number, folder?: string) => Effect.Effect<void>
}>()("pyro/workspace/EventLog") {
  static readonly layer = Layer.effect(EventLog, Effect.map(SecretRegistry, (secrets) => make(secrets)))
}

/** Records an event after it happened. */
export const recordEvent = (folder: string, event: NewEvent) =>
  Effect.flatMap(EventLog, ({ record }) => record(folder, event))

const make = ({ setsOf }: SecretRegistry["Service"]): EventLog["Service"] => {
  /** Callbacks that wait for the next event. */
  const waiting = new Set<(folder: string) => void>()
  let recorded = 0
  return {
    record: (folder, event) =>
      Effect.flatMap(nowIso, (at) =>
        attempt("append", fileOf(folder), () => {
          countCrossing(event)
          append(fileOf(folder), `${Schema.encodeSync(Line)(redactValue(setsOf(folder), { ...event, at }))}\n`)
          recorded += 1
          for (const wake of [...waiting]) wake(folder)
        })).pipe(Effect.ignoreCause),
    recorded: () => recorded,
    next: (known, folder) =>
      waitFor((resume) => {
        if (recorded !== known) return resume(Effect.void)
        const wake = (of: string) => {
          if (folder !== undefined && of !== folder) return
          waiting.delete(wake)
          resume(Effect.void)
        }
        waiting.add(wake)
        return Effect.sync(() => waiting.delete(wake))
      })
  }
}

const append = (file: string, line: string) => {
  const { fd } = openLineLog(file)
  try {
    fs.writeSync(fd, line)
  } finally {
    fs.closeSync(fd)
  }
}

const eventsOf = (line: string): ReadonlyArray<WorkspaceLogEvent> => {
  const read = Schema.decodeResult(Line)(line)
  return read._tag === "Success" ? [read.success] : []
}

export interface EventPage {
  readonly events: ReadonlyArray<WorkspaceLogEvent>
  /** Position after each event; unique within the workspace. */
  readonly positions: ReadonlyArray<number>
  /** Position after the last event of the page. */
  readonly nextCursor: number
  /** Later events may be in the log already. */
  readonly hasMore: boolean
}

interface FoundEvent {
  readonly event: WorkspaceLogEvent
  readonly bytes: number
  /** Position after the event. */
  readonly end: number
}

/** Number of the first events that fit a page: at least one, so that a follower advances. All events without a limit, which only this process asks for. */
const fitting = (events: ReadonlyArray<FoundEvent>, limit: number): number => {
  if (limit === Infinity) return events.length
  let left = PAGE_BYTES
  const none = events.findIndex(({ bytes }, at) => at === limit || ((left -= bytes + BESIDE_BYTES) < 0 && at > 0))
  return none < 0 ? events.length : none
}

/**
 * The first `limit` events from `cursor` on, or the newest events without a cursor, and no more than fit one message. Invalid lines are skipped.
 */
export const eventPage = (folder: string, cursor: number | undefined, limit: number): Effect.Effect<EventPage> =>
  Effect.sync(() => {
    let read: ReturnType<typeof readFrom>
    try {
      read = readFrom(fileOf(folder), (size) => cursor ?? Math.max(0, size - MOST_BYTES), MOST_BYTES)
    } catch {
      return { events: [], positions: [], nextCursor: cursor ?? 0, hasMore: false }
    }
    const { at, bytes } = read
    const found: Array<FoundEvent> = []
    let from = 0
    for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, from)) {
      for (const event of eventsOf(bytes.toString("utf8", from, end))) {
        found.push({ event, bytes: end - from, end: at + end + 1 })
      }
      from = end + 1
      if (cursor !== undefined && found.length === limit) break
    }
    const page = cursor === undefined
      ? found.slice(found.length - fitting(found.toReversed(), limit))
      : found.slice(0, fitting(found, limit))
    const hasMore = cursor !== undefined && (page.length === limit || page.length < found.length)
    return {
      events: page.map(({ event }) => event),
      positions: page.map(({ end }) => end),
      nextCursor: hasMore ? page.at(-1)!.end : at + from,
      hasMore
    }
  })

/** All recorded events, oldest first. */
export const readEvents = (folder: string): Effect.Effect<ReadonlyArray<WorkspaceLogEvent>> =>
  Effect.map(eventPage(folder, undefined, Infinity), ({ events }) => events)

/** Events since the last reset, and the time of the reset. */
export const sinceReset = (events: ReadonlyArray<WorkspaceLogEvent>) => {
  const last = events.findLastIndex(({ _tag }) => _tag === "reset")
  return { resetAt: events[last]?.at, events: events.slice(last + 1) }
}
