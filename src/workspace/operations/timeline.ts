import { Effect, Option, Stream } from "effect"
import type { LogEntry } from "../../contract/rows/workspace-logs.ts"
import type { NetworkRecord } from "../../contract/rows/workspace-network.ts"
import type { TimelineEntries, TimelineEntry, TimelinePayload } from "../../contract/rows/workspace-timeline.ts"
import { inPieces } from "../../contract/text/first-of.ts"
import { named } from "../../contract/text/names.ts"
import { printable, typed } from "../../contract/text/printable.ts"
import { snakeCase } from "../../contract/text/snake.ts"
import type { Entry } from "../entry/entry.ts"
import { type EventLog, eventPage } from "../entry/events.ts"
import type { RequestRecord } from "../entry/requests.ts"
import { entryOf } from "../residents/exec/logs.ts"
import { openResidentsOf } from "../residents/open/entry-residents.ts"
import { entryOf as eventOf } from "./events.ts"
import { isSame, type Marks, marksOf, untilChanged } from "./marks.ts"

const detailsOf = (fields: object) =>
  named(Object.entries(fields).map(([field, value]) => [snakeCase(field), value as unknown] as const))

/** Maximum characters of a command in a sentence. */
const SHOWN_CHARACTERS = 200

const cut = (text: string) => text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text

const seconds = (ms: number | undefined) => ms === undefined ? "" : ` after ${(ms / 1000).toFixed(1)} s`

const OUTCOMES = new Map([
  ["lost", "lost with its microVM"],
  ["out_of_memory", "ended for lack of memory"],
  ["signaled", "ended by a signal"],
  ["timed_out", "stopped at its deadline"]
])

const outcomeText = ({ durationMs, outcome, status }: LogEntry) =>
  outcome === "running"
    ? "runs"
    : `${outcome === "exited" ? `exited with ${status ?? 0}` : OUTCOMES.get(outcome) ?? outcome}${seconds(durationMs)}`

const ofCommand = (command: LogEntry): TimelineEntry => ({
  key: `command:${command.execId}`,
  at: command.startedAt,
  kind: "command",
  text: printable(
    `${cut(typed(command.command))}: ${outcomeText(command)}${
      command.client === undefined ? "" : `, by ${command.client}`
    }`
  ),
  details: detailsOf(command)
})

const ofConnection = (record: NetworkRecord): TimelineEntry => ({
  key: `network:${record.number}`,
  at: record.at,
  kind: "network",
  text: printable(
    `${record.kind === "lookup" ? "look-up of " : ""}${record.host}${
      record.port === undefined ? "" : `:${record.port}`
    } ${record.outcome}${record.reason === undefined ? "" : `: ${record.reason}`}`
  ),
  details: detailsOf(record)
})

const argumentText = (value: unknown) => Array.isArray(value) ? value.join(" ") : String(value)

const ofRequest = (request: RequestRecord): TimelineEntry => {
  const { at, by, client, given, message, operation, outcome } = request
  const who = by === "person" ? "a person or program" : client === undefined ? "a model" : `a model (${client})`
  const asked = [operation.replaceAll(".", " "), ...Object.values(given).map(argumentText)].join(" ")
  const answer = outcome === "ok" ? "" : outcome === "running" ? ": runs" : `: ${message ?? outcome}`
  return {
    key: `request:${request.number}`,
    at,
    kind: "request",
    text: printable(`${who} asks: ${cut(asked)}${answer}`),
    details: detailsOf(request)
  }
}

/** Maximum entries of one look after the first one. */
const MOST = 500

/** Maximum bytes of one event: a message has a few times that. */
const EVENT_BYTES = 2 * 1024 * 1024

/** Keys of the entries of each kind begin with a word. */
const KEYS = { events: "event:", commands: "command:", connections: "network:", requests: "request:" } as const

const byTime = (one: TimelineEntry, other: TimelineEntry) => one.at.localeCompare(other.at)

interface Read {
  readonly entries: ReadonlyArray<TimelineEntry>
  /** The next read has entries already. */
  readonly hasMore: boolean
}

/** What a watcher has seen of a workspace. */
const makeReader = (entry: Entry, only: TimelinePayload["only"]) => {
  let events: number | undefined
  let wereMore = false
  let connections: number | undefined
  /** Commands that ran when they were shown. */
  let running = new Set<string>()
  let commandsSeen = new Set<string>()
  /** Requests that have ended, and those that ran when they were shown. */
  let requestsSeen = new Map<number, string>()

  const wanted = (entries: ReadonlyArray<TimelineEntry>) =>
    entries.filter(({ key }) => only === undefined || key.startsWith(KEYS[only]))

  const eventsOf = (limit: number) =>
    Effect.map(eventPage(entry.folder.directory, events, limit), (page) => {
      events = page.nextCursor
      wereMore = page.hasMore
      return page.events.map((event, at): TimelineEntry => ({
        key: `event:${page.positions[at]}`,
        ...eventOf(event)
      }))
    })

  const requestsOf = () => {
    const { all } = entry.requests
    const changed = all.filter(({ number, outcome }) => requestsSeen.get(number) !== outcome)
    requestsSeen = new Map(all.map(({ number, outcome }) => [number, outcome]))
    return changed.map(ofRequest)
  }

  /** The next entries, at most `limit` of each kind. At first the newest. */
  return (limit: number): Effect.Effect<Read> =>
    Effect.gen(function*() {
      const found = [...yield* eventsOf(limit)]
      const hasMoreEvents = wereMore
      found.push(...requestsOf())
      const residents = Option.getOrUndefined(yield* openResidentsOf(entry))
      if (residents === undefined) return { entries: wanted(found), hasMore: hasMoreEvents }
      const { commands, network } = residents
      const { execs } = commands.journal
      const isFirst = connections === undefined
      const changed = isFirst
        ? execs.slice(-limit)
        : execs.filter(({ end, start: { id } }) => !commandsSeen.has(id) || (end !== undefined && running.has(id)))
      commandsSeen = new Set(execs.map(({ start }) => start.id))
      running = new Set(execs.flatMap(({ end, start }) => end === undefined ? [start.id] : []))
      found.push(...changed.map((one) => ofCommand(entryOf(commands, one))))
      const page = network.log.page({
        ...(connections === undefined ? {} : { cursor: connections }),
        denied: false,
        limit
      })
      connections = page.nextCursor
      found.push(...page.entries.map(ofConnection))
      return { entries: wanted(found).sort(byTime), hasMore: hasMoreEvents || page.entries.length === limit }
    })
}

/** The newest entries, and for a follower each later one, until the workspace is deleted. */
export const showTimeline = (
  log: EventLog["Service"],
  entry: Entry,
  { follow, limit, only }: TimelinePayload
): Stream.Stream<TimelineEntries> =>
  Stream.suspend(() => {
    const read = makeReader(entry, only)
    let known = log.recorded()
    let marks: Marks | undefined
    const eventsOf = (entries: ReadonlyArray<TimelineEntry>): ReadonlyArray<TimelineEntries> =>
      inPieces(entries, EVENT_BYTES).map((piece) => ({ _tag: "Entries", entries: piece }))
    const none: ReadonlyArray<TimelineEntries> = [{ _tag: "Entries", entries: [] }]
    /** Before the read: a change during the read ends the next wait. */
    const mark = Effect.gen(function*() {
      known = log.recorded()
      marks = yield* marksOf(entry)
    })
    const first = Effect.andThen(
      mark,
      Effect.map(read(limit), ({ entries }) => entries.length === 0 ? none : eventsOf(entries.slice(-limit)))
    )
    const hasChanged = Effect.map(marksOf(entry), (now) => !isSame(marks, now))
    let isBehind = false
    const next: Effect.Effect<ReadonlyArray<TimelineEntries>> = Effect.gen(function*() {
      if (!isBehind) yield* Effect.suspend(() => untilChanged(log, known, hasChanged, Infinity))
      yield* mark
      const { entries, hasMore } = yield* read(MOST)
      isBehind = hasMore
      return entries.length === 0 ? yield* next : eventsOf(entries)
    })
    const begin = Stream.fromIterableEffect(first)
    if (!follow) return begin
    return Stream.interruptWhen(
      Stream.concat(begin, Stream.flattenIterable(Stream.fromEffectRepeat(next))),
      entry.deletion.begun
    )
  })
