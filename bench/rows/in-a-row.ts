import { summarize } from "../statistics.ts"

/** Median of one round of the same, one after the other: a session runs many, and two VMs that take turns at each command only evict each other. */
export const inARow = async (once: () => Promise<number>, count = 10) => {
  const times: Array<number> = []
  for (let at = 0; at < count; at++) times.push(await once())
  return summarize(times).median
}
