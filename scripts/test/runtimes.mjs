import process from "node:process"
import { setUp } from "../setup.mjs"
import { vitestTests } from "./vitest.mjs"

/**
 * `npm run test:runtimes`: the suite `package` on Node 20.19, 22 and the pinned one, on Bun and on Deno. `npm test` leaves out Node 22 and Bun. The
 * last line is `N passed, N failed`.
 */
export const runtimeTests = async () => {
  for (const need of ["test", "otherNodes"]) await setUp(need)
  const { failed, passed, skipped } = await vitestTests(["runtimes"])
  process.stdout.write(`\n${passed} passed, ${failed + skipped} failed\n`)
  return failed + skipped > 0 || passed === 0 ? 1 : 0
}
