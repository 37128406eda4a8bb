import process from "node:process"
import { setUp } from "../setup.mjs"
import { vitestTests } from "./vitest.mjs"

/**
 * `npm run test:arm64-client`: the built command on Node for arm64, under QEMU's emulation of programs, uses a workspace of this machine through ssh.
 * The last line is `N passed, N failed`.
 */
export const arm64ClientTests = async () => {
  await setUp("arm64Client")
  const { failed, passed, skipped } = await vitestTests(["arm64-client"], { files: process.argv.slice(2) })
  process.stdout.write(`\n${passed} passed, ${failed + skipped} failed\n`)
  return failed + skipped > 0 || passed === 0 ? 1 : 0
}
