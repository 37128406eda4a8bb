import { collectGarbage } from "../system/collector.ts"
import type { ClockReader } from "../system/time.ts"

/** How long nobody has to ask for anything, in ms. */
const IDLE_MS = 1_000
/** Not after every command of somebody who thinks in between. */
const AT_MOST_EVERY_MS = 20_000
/** What was made since the last one and is worth one, in `bytes`. */
const WORTH_BYTES = 6 * 1024 * 1024

/**
 * Collects all garbage, some 30 ms, when there has been nothing to do for a moment: V8 by itself waits until the heap has doubled, and a
 * daemon that has been busy would keep that for hours.
 */
export const makeIdleCollection = ({ monotonicMs }: ClockReader) => {
  let timer: NodeJS.Timeout | undefined
  let collectedAtMs = -Infinity
  let keptBytes = process.memoryUsage().heapUsed
  const collect = () => {
    const waitMs = collectedAtMs + AT_MOST_EVERY_MS - monotonicMs()
    if (waitMs > 0) return schedule(waitMs)
    if (process.memoryUsage().heapUsed - keptBytes < WORTH_BYTES) return
    collectGarbage()
    collectedAtMs = monotonicMs()
    keptBytes = process.memoryUsage().heapUsed
  }
  const schedule = (ms: number) => {
    timer = setTimeout(collect, ms).unref()
  }
  return {
    /** A request came. */
    busy: () => clearTimeout(timer),
    /** The last one that was being served is over. */
    idle: () => {
      clearTimeout(timer)
      schedule(IDLE_MS)
    }
  }
}
