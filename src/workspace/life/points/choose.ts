import { Effect } from "effect"
import { PointNotFound } from "../../../contract/errors/errors.ts"
import { count } from "../../../contract/text/count.ts"
import { displayName, type Entry } from "../../entry/entry.ts"
import { begunBy, onlyOne } from "../../entry/prefix.ts"
import type { Span } from "../../entry/record.ts"
import type { JournaledCommand } from "../../residents/exec/journal.ts"
import { residentsOf } from "../../residents/open/entry-residents.ts"
import { type Point, readPoints } from "../records/point.ts"
import { firstUndone, isUnchanged, isUndone, pointBefore } from "./lineage.ts"
import { isLook } from "./looks.ts"

/** The state that a request asks for: before a command, a number of commands back, or a point by its id. */
export type Wanted =
  | { readonly before: string }
  | { readonly steps: number }
  | { readonly to: string }

const noPoint = (entry: Entry, detail: string) =>
  Effect.flatMap(displayName(entry), (workspace) => new PointNotFound({ workspace, detail }))

/** What is known of the commands of a workspace. */
export interface Known {
  readonly points: ReadonlyArray<Point>
  readonly undone: ReadonlyArray<Span>
  readonly steps: ReadonlyArray<JournaledCommand>
  /** Ids of looks by their words of which the disk alone says whether they changed something. */
  readonly doubted: ReadonlySet<string>
}

/** What is needed of the points. */
interface KnownSteps extends Omit<Known, "points"> {
  readonly points: Parameters<typeof isUnchanged>[0]
}

/** Whether a rewind skips a command when it counts steps: the command changed nothing. */
export const changedNothing = ({ doubted, points, steps, undone }: KnownSteps, place: number): boolean => {
  const step = steps[place]
  return step?.end?.changedNothing === true ||
    (step !== undefined && isLook(step.start) && !doubted.has(step.start.id)) ||
    isUnchanged(points, undone, place)
}

/** Place of the command that a request names, in the journal. */
const placeOf = (
  entry: Entry,
  wanted: { readonly before: string } | { readonly steps: number },
  known: Known
) =>
  Effect.gen(function*() {
    const { steps, undone } = known
    if ("steps" in wanted) {
      const left = steps.map((_, place) => place).filter((place) =>
        !isUndone(undone, place) && !changedNothing(known, place)
      )
      const place = left.at(-wanted.steps)
      return place ?? (yield* noPoint(
        entry,
        left.length === 0
          ? "no command has changed it"
          : `only ${count(left.length, "command")} that changed something led to its present state`
      ))
    }
    const ids = steps.map(({ start }) => start.id)
    const id = yield* onlyOne("command", wanted.before, begunBy(wanted.before, ids))
    if (id === undefined) return yield* noPoint(entry, `no command ${wanted.before} ran in it`)
    const place = ids.indexOf(id)
    return isUndone(undone, place) ? yield* noPoint(entry, `command ${id} is undone already`) : place
  })

/** The point that a request means, and the place of the first command that a return to it undoes. */
export const findPoint = (entry: Entry, wanted: Wanted, doubted: ReadonlySet<string> = new Set()) =>
  Effect.gen(function*() {
    const { commands: { journal: { steps } } } = yield* residentsOf(entry, "workspace.rewind")
    const points = yield* readPoints(entry.folder)
    const undone = (yield* entry.record.now).undone ?? []
    if ("to" in wanted) {
      const ids = points.map(({ record }) => record.id)
      const id = yield* onlyOne("point", wanted.to, begunBy(wanted.to, ids))
      const point = points.find(({ record }) => record.id === id)
      if (point === undefined) return yield* noPoint(entry, `there is no point ${wanted.to}, or it is gone`)
      return { point, from: firstUndone(point.record) }
    }
    const place = yield* placeOf(entry, wanted, { points, steps, undone, doubted })
    const point = pointBefore(points, undone, place)
    if (point !== undefined) return { point, from: firstUndone(point.record, place) }
    return yield* noPoint(
      entry,
      points.length === 0
        ? "no point was made yet"
        : `the points before command ${steps[place]?.start.id ?? ""} are gone, or none was made`
    )
  })

/** The point of an id, or the newest before the command of an id. */
export const choosePoint = (entry: Entry, id: string) =>
  Effect.map(findPoint(entry, id.startsWith("pt-") ? { to: id } : { before: id }), ({ point }) => point)
