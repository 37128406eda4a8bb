import process from "node:process"
import { setUp } from "../setup.mjs"
import { vitestTests } from "./vitest.mjs"

/**
 * `npm run test:soak`: agents of guests that send 300,000 hostile frames, 60 killed runs, 1,200 commands, crowds, collisions and
 * interruptions, a crash at every fault point, every case of a try, a slow build behind MCP, trees of 100,000 files, files of 4 GiB, forks and
 * snapshots on bad days, rarer cases of compare, saved snapshots and pauses, merged layers, shared memory and killed QEMUs, every case
 * of `pyro run`, sessions that break after any byte, in microVMs. The last line is `N passed, N failed`.
 */
export const soakTests = async () => {
  await setUp("test")
  const { failed, passed, skipped } = await vitestTests(["soak"])
  process.stdout.write(`\n${passed} passed, ${failed + skipped} failed\n`)
  return failed + skipped > 0 || passed === 0 ? 1 : 0
}
