import process from "node:process"
import { setUp } from "../setup.mjs"
import { vitestTests } from "./vitest.mjs"

/**
 * `npm run test:clients`: builds environments with cargo, Go and Maven from Debian's packages (3 GB on the host's disk). pip, npm, cargo and Go use
 * private repositories with a secret that the guest does not have. npm, pnpm, Yarn, uv, cargo, Go and Maven install from the public registries, with and
 * without the package cache. Docker and podman build and run containers by the commands of docs/docker.md. asyncssh, paramiko, Go's
 * x/crypto/ssh and sshj reach a workspace by SSH: the host needs python3 with pip, go, java and mvn. Words name files of test/clients. The last
 * line is `N passed, N failed`.
 */
export const clientTests = async () => {
  await setUp("test")
  const { failed, passed, skipped } = await vitestTests(["clients"], { files: process.argv.slice(2) })
  process.stdout.write(`\n${passed} passed, ${failed + skipped} failed\n`)
  return failed + skipped > 0 || passed === 0 ? 1 : 0
}
