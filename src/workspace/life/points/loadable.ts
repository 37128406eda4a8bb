import { Effect } from "effect"
import { hostBootId } from "../../../system/processes/identity.ts"
import type { Notify } from "../../entry/context.ts"
import type { Entry } from "../../entry/entry.ts"
import { noStates } from "../../entry/resident.ts"
import { linkedBase } from "../guest/base.ts"
import type { Point, PointRecord } from "../records/point.ts"
import { seedOf } from "../snapshot/capture.ts"
import { obstaclesOf } from "../snapshot/restore.ts"

/** The record of a point without its memory: its services start again. */
const diskAlone = (
  { captured, declared, diskMark: _, hasPrograms: _programs, ...same }: PointRecord
): PointRecord => {
  const { memory: _memory, ...disk } = captured
  return { ...same, captured: { ...disk, residents: declared ?? noStates } }
}

/** A point with its memory if the memory can continue here. Else with its disk alone, and says why. */
export const loadable = (entry: Entry, point: Point, notify: Notify) =>
  Effect.gen(function*() {
    const { captured, hostBoot = hostBootId(), id } = point.record
    if (captured.memory === undefined) return point satisfies Point
    const images = yield* linkedBase(entry.folder.base)
    const seed = seedOf(entry, yield* entry.record.now)
    const obstacles = yield* obstaclesOf({ record: { name: id, durable: false, hostBoot, captured } }, images, seed)
    if (obstacles.length === 0) return point
    notify({
      _tag: "Notice",
      level: "warning",
      message: `the memory of point ${id} cannot continue here, so the files alone come back: ${obstacles.join("; ")}`
    })
    return { ...point, record: diskAlone(point.record) }
  })
