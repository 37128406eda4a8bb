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
