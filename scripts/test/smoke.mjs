import { readdirSync } from "node:fs"
import process from "node:process"
import { setUp } from "../setup.mjs"
import { inRoot } from "../setup/project.mjs"
import { SetupFailed } from "../setup/report.mjs"
import { vitestTests } from "./vitest.mjs"

const folder = "test/smoke"
const suffix = ".test.ts"

/**
 * `npm run smoke`: follows the use cases of docs/use-cases on real projects in microVMs, or the named ones (`npm run smoke -- cold-start`). Prints
 * one line for each use case, with its duration. The last line is `N passed, N failed`.
 */
export const smokeTests = async () => {
  const stories = readdirSync(inRoot(folder)).map((file) => file.slice(0, -suffix.length))
  const named = process.argv.slice(2)
  const unknown = named.find((name) => !stories.includes(name))
  if (unknown !== undefined) {
    throw new SetupFailed(`no use case is called ${unknown}; there are ${stories.join(", ")}`, 2)
  }
  await setUp("smoke")
  const { failed, passed, skipped } = await vitestTests(["smoke"], {
    files: named.map((name) => `${folder}/${name}${suffix}`),
    reporter: inRoot("scripts/test/stories.mjs")
  })
  process.stdout.write(`\n${passed} passed, ${failed + skipped} failed\n`)
  return failed + skipped > 0 || passed === 0 ? 1 : 0
}
