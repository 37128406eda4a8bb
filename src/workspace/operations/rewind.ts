import { Effect, Option } from "effect"
import { InvalidRequest } from "../../contract/errors/errors.ts"
import {
  alsoEnded,
  type EndedProgram,
  type RewindPayload,
  type RewindResult
} from "../../contract/rows/workspace-rewind.ts"
import type { Lifecycle, Notify } from "../entry/context.ts"
import type { Entry } from "../entry/entry.ts"
import { readEvents, type WorkspaceLogEvent } from "../entry/events.ts"
import type { Wanted } from "../life/points/choose.ts"
import { doubtedLooks } from "../life/points/git-looks.ts"
import { momentOf, readPoints } from "../life/records/point.ts"
import { rewind, type Rewound } from "../life/verbs/rewind.ts"
import type { JournaledCommand } from "../residents/exec/journal.ts"
import { openResidentsOf } from "../residents/open/entry-residents.ts"
import type { OpenResidents } from "../residents/open/open.ts"
import { lineOf } from "../residents/program/command.ts"
import { eventText } from "./events.ts"
import { beginsAtBaseline, commandOf, historyOf, visitsOf } from "./history.ts"
import { infoOf } from "./info.ts"
import type { Works } from "./work.ts"

/** Events that change something outside of the workspace, or what it may do there. */
const CROSSES: ReadonlySet<WorkspaceLogEvent["_tag"]> = new Set([
  "export",
  "network",
  "port_published",
  "fork",
  "snapshot_save"
])

/** An export that changed no file has crossed nothing. */
const crossed = (event: WorkspaceLogEvent) =>
  event._tag !== "export" || event.kind !== "changes" || event.changedFiles !== 0

/** Effects that a rewind does not undo, a sentence each. */
const keptEffects = (entry: Entry, sinceMs: number) =>
  Effect.gen(function*() {
    const since = new Date(sinceMs).toISOString()
    const events = (yield* readEvents(entry.folder.directory)).filter(({ _tag, at }) =>
      at >= since && CROSSES.has(_tag)
    ).filter(crossed)
    const residents = yield* openResidentsOf(entry)
    if (Option.isNone(residents)) return events.map(eventText)
    const { log } = residents.value.network
    const made = log.page({ denied: false, limit: 1_000 }).entries.filter(({ at, kind, outcome }) =>
      at >= since && kind === "connection" && outcome === "allowed"
    )
    const connections = made.length === 0 ? [] : [`${made.length} network connections were made`]
    return [...events.map(eventText), ...connections]
  })

/** The state that a request means. */
const wantedOf = ({ before, steps, to }: RewindPayload): Effect.Effect<Wanted, InvalidRequest> => {
  const given = [before, steps, to].filter((one) => one !== undefined).length
  if (given > 1) {
    return Effect.fail(new InvalidRequest({ field: "before", detail: "`before`, `steps` and `to` do not go together" }))
  }
  return Effect.succeed(before !== undefined ? { before } : to !== undefined ? { to } : { steps: steps ?? 1 })
}

/** The names of the services that a point starts again. */
const restarted = (residents: Option.Option<OpenResidents>) =>
  Option.toArray(residents).flatMap(({ services }) =>
    services.all().filter(({ end, wanted }) => end === undefined && wanted === "running").map(({ name }) => name)
  )

/** Programs that continue in the memory of a point. */
const stillRunning = (residents: Option.Option<OpenResidents>) =>
  Option.toArray(residents).flatMap(({ commands: { journal, running } }) =>
    journal.commands.filter(({ start }) => running.has(start.id)).map(({ start: { id, role } }) =>
      role === undefined ? `command ${id}` : role._tag === "shell" ? `shell ${id}` : `service ${role.name}`
    )
  )

/** A command that ended with the old VM, for a response. */
const endedOf = ({ start: { command, id, role } }: JournaledCommand): EndedProgram => ({
  kind: role?._tag ?? "command",
  id: role?._tag === "service" ? role.name : id,
  command: lineOf(command)
})

/** Shortest time between the last look at a workspace and a command that the answer of a rewind names, in ms. */
const SHORTEST_LAG_MS = 50

/** A sentence about data that programs wrote since a moment, which a rewind undoes together with commands. */
export const writesUndone = ({ by, sinceMs }: Rewound["written"], first: JournaledCommand | undefined) => {
  if (by.length === 0) return []
  const lagMs = first === undefined ? 0 : Date.parse(first.start.startedAt) - sinceMs
  const lag = lagMs < SHORTEST_LAG_MS ? "" : `, ${(lagMs / 1000).toFixed(1)} s before the first of these commands`
  return [`what ${listed(by, ", ")} wrote since ${new Date(sinceMs).toISOString()}${lag}`]
}

/** Rewinds a workspace, and reports which effects are undone and which are not. */
const rewindTo = (lifecycle: Lifecycle, entry: Entry, wanted: Wanted, notify: Notify) =>
  Effect.gen(function*() {
    const { ended, looks, memory, point, redo, undone, written } = yield* rewind(lifecycle, entry, wanted, notify)
    const residents = yield* openResidentsOf(entry)
    const again = restarted(residents)
    return {
      workspace: yield* infoOf(entry),
      point: point.record.id,
      redo: redo.record.id,
      undone: undone.map((one) => ({
        ...commandOf(one),
        ...(looks.has(one.start.id) ? { changedNothing: true } : {})
      })),
      writesUndone: writesUndone(written, undone[0]),
      ended: ended.map(endedOf).filter(({ id, kind }) => kind !== "service" || !again.includes(id)),
      memory,
      stillRunning: memory ? stillRunning(residents) : [],
      restarted: memory ? [] : again,
      keptEffects: yield* keptEffects(entry, momentOf(point.record))
    }
  })

/** Digits that are a number of commands. Ids have more. */
const STEPS = /^[1-9]\d{0,3}$/

/** The state that the word of a reset means: a number of commands back, a command's id or a point's. */
const wantedBy = (before: string): Wanted =>
  STEPS.test(before) ? { steps: Number(before) } : before.startsWith("pt-") ? { to: before } : { before }

/** Commands that a warning names. */
const NAMED = 5

const listed = (all: ReadonlyArray<string>, between = "; ") =>
  `${all.slice(0, NAMED).join(between)}${all.length > NAMED ? ` and ${all.length - NAMED} more` : ""}`

/** What a rewind did and did not, as warnings of a reset. */
export const warningsOf = (
  { ended, stillRunning, memory, keptEffects, redo, restarted, undone, writesUndone }: Omit<
    RewindResult,
    "point" | "warnings" | "workspace"
  >
): ReadonlyArray<string> => {
  const others = alsoEnded({ ended, undone }).map(({ command, id, kind }) =>
    kind === "command" ? `“${command}”` : `${kind} ${id}`
  )
  return [
    undone.length === 0
      ? "no command is undone"
      : `undone: ${
        listed(
          undone.map(({ changedNothing, command }) =>
            `“${command}”${changedNothing === true ? " (changed nothing)" : ""}`
          )
        )
      }`,
    ...writesUndone.map((one) => `also undone: ${one}`),
    ...(others.length === 0 ? [] : [`ended with the old microVM: ${listed(others)}`]),
    ...(memory
      ? [`the memory of that moment is back${stillRunning.length === 0 ? "" : `: ${stillRunning.join(", ")}`}`]
      : []),
    ...(restarted.length === 0 ? [] : [`services that start again: ${restarted.join(", ")}`]),
    ...keptEffects.map((one) => `not undone: ${one}`),
    `before "${redo}" brings back what is undone`
  ]
}

/** A rewind as a reset. */
export const resetBefore = (lifecycle: Lifecycle, entry: Entry, before: string, notify: Notify) =>
  Effect.gen(function*() {
    const rewound = yield* rewindTo(lifecycle, entry, wantedBy(before), notify)
    for (const message of warningsOf(rewound)) notify({ _tag: "Notice", level: "warning", message })
  })

/** The work of the operations on the history of a workspace. */
export const rewindWorks = {
  "workspace.rewind": {
    notices: ({ entry, lifecycle, notify }, payload) =>
      Effect.gen(function*() {
        const rewound = yield* rewindTo(lifecycle, entry, yield* wantedOf(payload), notify)
        return { _tag: "Rewound" as const, ...rewound }
      })
  },
  "workspace.history": ({ commands: { journal: { steps } }, entry, ssh }, { limit }) =>
    Effect.gen(function*() {
      const { undone = [] } = yield* entry.record.now
      const events = yield* readEvents(entry.folder.directory)
      const points = yield* readPoints(entry.folder)
      const doubted = yield* doubtedLooks(entry, points, undone, steps)
      const isFromBaseline = beginsAtBaseline(events)
      const visits = visitsOf(events, ssh.begins())
      return historyOf({ steps, points, undone, doubted, isFromBaseline, visits }, limit)
    })
} satisfies Partial<Works>
