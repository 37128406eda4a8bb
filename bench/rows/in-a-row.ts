import { setTimeout } from "node:timers/promises"
import { summarize } from "../statistics.ts"

/**
 * Median of one round of equal samples in a row: a session runs many commands, and two alternating VMs would evict each other from
 * caches.
 */
export const inARow = async (once: () => Promise<number>, count = 10) => {
  const times: Array<number> = []
  for (let at = 0; at < count; at++) times.push(await once())
  return summarize(times).median
}

/** The same with a pause before each sample: what a person does finds the processor of the guest asleep. */
export const apart = (once: () => Promise<number>, pauseMs: number, count: number) =>
  inARow(async () => {
    await setTimeout(pauseMs)
    return once()
  }, count)
