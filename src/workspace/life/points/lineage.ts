import type { Span } from "../../entry/record.ts"
import type { PointRecord } from "../records/point.ts"

// A rewind undoes commands, and a return to a later point brings some back. So each state of a workspace has its own history: of the commands in
// the journal, those before a place, without those that are undone in that state.

/** The part of spans before a place. */
const before = (spans: ReadonlyArray<Span>, end: number): ReadonlyArray<Span> =>
  spans.flatMap(({ from, to }) => from < end ? [{ from, to: Math.min(to, end) }] : [])

const same = (a: ReadonlyArray<Span>, b: ReadonlyArray<Span>) =>
  a.length === b.length && a.every(({ from, to }, index) => from === b[index]!.from && to === b[index]!.to)

export const isUndone = (undone: ReadonlyArray<Span>, place: number): boolean =>
  undone.some(({ from, to }) => from <= place && place < to)

/** Whether the present state came from a point: what the point has undone is undone, and no other command before it. */
export const isBehind = ({ commands, undone }: Pick<PointRecord, "commands" | "undone">, now: ReadonlyArray<Span>) =>
  same(before(now, commands), undone)

/** Whether the command at a place is known to have left the disk as it was: a point right before it is the state after it, too. */
export const isUnchanged = (
  points: ReadonlyArray<{ readonly record: Pick<PointRecord, "commands" | "unchanged" | "undone"> }>,
  now: ReadonlyArray<Span>,
  place: number
): boolean =>
  points.some(({ record }) =>
    record.commands <= place && place < record.commands + (record.unchanged ?? 0) && isBehind(record, now)
  )

/** The first command that a return to a point undoes, to the state before the command at a place: not those that had changed nothing. */
export const firstUndone = (
  { commands, unchanged = 0 }: Pick<PointRecord, "commands" | "unchanged">,
  place = Infinity
): number => Math.max(commands, Math.min(commands + unchanged, place))

/** What is undone after a return to a point that undoes the commands from a place on, of a journal with `total` commands. */
export const undoneAfter = (
  { undone }: Pick<PointRecord, "undone">,
  from: number,
  total: number
): ReadonlyArray<Span> => from >= total ? undone : joined([...undone, { from, to: total }])

/** Spans that touch are one. */
const joined = (spans: ReadonlyArray<Span>) =>
  spans.reduce<ReadonlyArray<Span>>((all, span) => {
    const last = all.at(-1)
    return last !== undefined && last.to === span.from
      ? [...all.slice(0, -1), { from: last.from, to: span.to }]
      : [...all, span]
  }, [])

/** The newest point of the present state's history that was made before the command at a place. Undefined if there is none. */
export const pointBefore = <P extends { readonly record: Pick<PointRecord, "commands" | "undone"> }>(
  points: ReadonlyArray<P>,
  undone: ReadonlyArray<Span>,
  place: number
): P | undefined => points.findLast(({ record }) => record.commands <= place && isBehind(record, undone))
