import process from "node:process"
import { setUp } from "../setup.mjs"
import { vitestTests } from "./vitest.mjs"

/**
 * `npm run test:clients`: builds an environment with cargo and Go from Debian's packages (900 MB on the host's disk), and has both use private
 * repositories with a secret that the guest does not have. Docker and podman build and run containers by the commands of docs/docker.md. The last
 * line is `N passed, N failed`.
 */
export const clientTests = async () => {
  await setUp("test")
  const { failed, passed, skipped } = await vitestTests(["clients"])
  process.stdout.write(`\n${passed} passed, ${failed + skipped} failed\n`)
  return failed + skipped > 0 || passed === 0 ? 1 : 0
}
