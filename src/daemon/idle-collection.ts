import { collectGarbage } from "../system/processes/collector.ts"
import type { ClockReader } from "../system/waits/time.ts"

/** Time without a request before a collection, in ms. */
const IDLE_MS = 1_000
/** Minimum time between two collections, in ms: a person who thinks between two commands causes none. */
const AT_MOST_EVERY_MS = 20_000
/** Growth of the heap since the last collection that is worth a collection, in bytes. */
const WORTH_BYTES = 6 * 1024 * 1024

/**
 * Collects all garbage, which takes some 30 ms, after a time without requests. V8 by itself waits until the heap has doubled, and a daemon
 * that was busy would keep the heap for hours.
 *
 * The timer is Node's and not a fiber's: every request stops and restarts the timer in the synchronous part of its count, where a fiber
 * would cost an interruption each time. The timer touches the heap alone and does not keep the process.
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
    /** Stops the timer: a request begins. */
    busy: () => clearTimeout(timer),
    /** Restarts the timer: the last request has ended. */
    idle: () => {
      clearTimeout(timer)
      schedule(IDLE_MS)
    }
  }
}
