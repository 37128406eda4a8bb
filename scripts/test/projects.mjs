import process from "node:process"
import { setUp } from "../setup.mjs"
import { vitestTests } from "./vitest.mjs"

/**
 * `npm run test:projects`: npm, pip and apt install the dependencies of real projects in a microVM, from mirrors whose packages are downloaded
 * once (90 MB, in `~/.cache/pyro-test`), and Chromium opens a web application of a workspace. The last line is `N passed, N failed`.
 */
export const projectTests = async () => {
  await setUp("projects")
  const { failed, passed, skipped } = await vitestTests(["projects"])
  process.stdout.write(`\n${passed} passed, ${failed + skipped} failed\n`)
  return failed + skipped > 0 || passed === 0 ? 1 : 0
}
