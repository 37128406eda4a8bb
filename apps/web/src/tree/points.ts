import type { HistoryResult } from "../../../../src/contract/rows/workspace-rewind.ts"

/** Maximum commands that the page asks for. If there are fewer, the list is whole, and the index of a command is its place in the history. */
export const MOST_COMMANDS = 1_000

type Point = HistoryResult["points"][number]

/** A point of rewind in words. */
export interface NamedPoint {
  readonly id: string
  readonly at: string
  readonly current: boolean
  /** Where the point lies between the commands, and how it differs from other points there. */
  readonly says: string
}

/** The first command, if a reset returns to the moment before it and no point does. */
export const firstByReset = ({ commands }: HistoryResult): string | undefined =>
  commands.find(({ byReset }) => byReset === true)?.command

/**
 * Points with the text of the command beside them, as `pyro history` has it. The present state comes from a current point: its next command that
 * was not undone names it. A rewind left the other points: the last command that had started names them, because the next one may belong to
 * the time after the rewind.
 */
export const namedPoints = ({ commands, points }: HistoryResult): ReadonlyArray<NamedPoint> => {
  const isWhole = commands.length < MOST_COMMANDS
  const placeOf = (point: Point) => {
    if (point.beforeSsh !== undefined) return `before an SSH session of ${point.beforeSsh}`
    if (!isWhole) {
      const next = commands.find((one) => one.point === point.id)
      return next === undefined ? "" : `before ${next.command}`
    }
    if (point.current) {
      const next = commands.slice(point.commands).find(({ undone }) => !undone)
      if (next !== undefined) return `before ${next.command}`
    }
    const earlier = commands.slice(0, point.commands)
    const last = point.current ? earlier.findLast(({ undone }) => !undone) : earlier.at(-1)
    return last === undefined ? "before the first command" : `after ${last.command}`
  }
  const placed = points.map((point) => ({ point, place: placeOf(point) }))
  return placed.map(({ place, point }, at) => {
    const isLast = !placed.slice(at + 1).some((other) => other.place === place && other.point.current === point.current)
    return {
      id: point.id,
      at: point.createdAt,
      current: point.current,
      says: [
        place,
        isLast ? "" : "an earlier state",
        point.memory ? "with memory" : ""
      ].filter((part) => part !== "").join(", ")
    }
  })
}
