import process from "node:process"
import { setUp } from "../setup.mjs"
import { vitestTests } from "./vitest.mjs"

/**
 * `npm run test:images`: registries with logins, refused images, added layers, equal pulls, archives, steps and secrets of Dockerfiles, packages over images, pulls in trouble,
 * features of dev containers, environments of workspaces, Debian 13, and Docker's containers in forks and on bad days, in microVMs. `npm test` has the common cases. The last line is `N passed, N failed`.
 */
export const imageTests = async () => {
  await setUp("test")
  const { failed, passed, skipped } = await vitestTests(["images"])
  process.stdout.write(`\n${passed} passed, ${failed + skipped} failed\n`)
  return failed + skipped > 0 || passed === 0 ? 1 : 0
}
