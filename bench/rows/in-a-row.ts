import { summarize } from "../statistics.ts"

/** Commands of one round: a session runs many, and two VMs that take turns at each command only evict each other. */
const count = 10

/** Median of one round of the same, one after the other. */
export const inARow = async (once: () => Promise<number>) => {
  const times: Array<number> = []
  for (let at = 0; at < count; at++) times.push(await once())
  return summarize(times).median
}
