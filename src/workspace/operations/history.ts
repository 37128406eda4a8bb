import type { HistoryEntry, HistoryResult, UndoneCommand } from "../../contract/rows/workspace-rewind.ts"
import type { WorkspaceLogEvent } from "../entry/events.ts"
import type { Span } from "../entry/record.ts"
import { changedNothing } from "../life/points/choose.ts"
import { firstUndone, isBehind, isUndone, pointBefore } from "../life/points/lineage.ts"
import { momentOf, type PointRecord } from "../life/records/point.ts"
import type { JournaledCommand } from "../residents/exec/journal.ts"
import { lineOf } from "../residents/program/command.ts"
import type { SshBegin } from "../residents/ssh/visits.ts"

/** A command of the journal, for a response. */
export const commandOf = ({ end, start }: JournaledCommand): UndoneCommand => ({
  execId: start.id,
  command: lineOf(start.command),
  startedAt: start.startedAt,
  outcome: end?.outcome ?? "running",
  ...(end?.status === undefined ? {} : { status: end.status }),
  ...(end?.durationMs === undefined ? {} : { durationMs: end.durationMs })
})

/** Whether the history begins with the state that a reset returns to. A fork and a snapshot begin with another one. A keep leaves the history. */
export const beginsAtBaseline = (events: ReadonlyArray<WorkspaceLogEvent>): boolean => {
  const last = events.flatMap((event) =>
    event._tag === "forked" || event._tag === "created" || (event._tag === "reset" && event.candidate === undefined)
      ? [event]
      : []
  ).at(-1)
  return last !== undefined && last._tag !== "forked" && last.snapshot === undefined
}

interface Known {
  readonly steps: ReadonlyArray<JournaledCommand>
  /** Oldest first. */
  readonly points: ReadonlyArray<{ readonly record: PointRecord }>
  /** What is undone in the present state. */
  readonly undone: ReadonlyArray<Span>
  /** Ids of looks by their words of which the disk alone says whether they changed something. */
  readonly doubted: ReadonlySet<string>
  readonly isFromBaseline: boolean
  /** Starts of SSH sessions, oldest first. */
  readonly visits?: ReadonlyArray<SshBegin>
}

/** Starts of SSH sessions: one for each visit in the event log, and one for each session that this process has served. */
export const visitsOf = (
  events: ReadonlyArray<WorkspaceLogEvent>,
  served: ReadonlyArray<SshBegin>
): ReadonlyArray<SshBegin> =>
  [...events.flatMap((event) => event._tag === "ssh_opened" ? [event] : []), ...served]
    .sort((a, b) => a.at.localeCompare(b.at))

/** The user whose SSH session came next after a point. */
const sshAfter = ({ points, steps, visits = [] }: Known, record: PointRecord) => {
  const next = points.find(({ record: { number } }) => number > record.number)
  const ends = [
    next === undefined ? undefined : momentOf(next.record),
    Date.parse(steps[record.commands]?.start.startedAt ?? "")
  ]
    .filter((ms) => ms !== undefined && !Number.isNaN(ms))
  const end = Math.min(...ends as ReadonlyArray<number>)
  return visits.find(({ at }) => Date.parse(at) >= momentOf(record) && Date.parse(at) <= end)?.user
}

const entryOf = (known: Known, place: number): HistoryEntry => {
  const { isFromBaseline, points, steps, undone } = known
  const isStep = (one: number) => !changedNothing(known, one)
  const command: UndoneCommand = { ...commandOf(steps[place]!), ...(isStep(place) ? {} : { changedNothing: true }) }
  if (isUndone(undone, place)) return { ...command, undone: true }
  const before = pointBefore(points, undone, place)?.record
  if (before === undefined) {
    const isFirst = isFromBaseline && steps.slice(0, place).every((_, earlier) => isUndone(undone, earlier))
    return { ...command, undone: false, ...(isFirst ? { byReset: true } : {}) }
  }
  const first = firstUndone(before, place)
  const skipped = Array.from({ length: place - first }, (_, more) => first + more)
  const after = points.find(({ record }) => record.commands === place + 1 && isBehind(record, undone))?.record
  // The disk is another one after a keep, so the bytes are unknown.
  const isKeep = steps[place]!.start.keeps === true
  const writtenBytes = isKeep
    ? undefined
    : firstUndone(before) > place
    ? 0
    : first === place
    ? after?.writtenBytes
    : undefined
  return {
    ...command,
    undone: false,
    point: before.id,
    alsoUndone: skipped.filter((one) => !isUndone(undone, one) && isStep(one)).length,
    ...(writtenBytes === undefined ? {} : { writtenBytes })
  }
}

/** The newest `limit` commands of a workspace with the points before them, and all points. */
export const historyOf = (known: Known, limit: number): HistoryResult => ({
  commands: known.steps.map((_, place) => place).slice(-limit).map((place) => entryOf(known, place)),
  points: known.points.map(({ record }) => {
    const { captured, commands, id, running, undone } = record
    const beforeSsh = sshAfter(known, record)
    return {
      id,
      createdAt: new Date(momentOf(record)).toISOString(),
      commands,
      running,
      memory: captured.memory !== undefined,
      current: isBehind({ commands, undone }, known.undone),
      ...(beforeSsh === undefined ? {} : { beforeSsh })
    }
  })
})
