import process from "node:process"
import { setUp } from "../setup.mjs"
import { say, SetupFailed } from "../setup/report.mjs"
import { nativeTests } from "./native.mjs"
import { vitestTests } from "./vitest.mjs"

const vitestProjects = ["unit", "agent", "cli", "guest"]
const suites = ["native", ...vitestProjects]

/**
 * `npm test`: everything, or the suites named (`npm test -- unit agent`). The last line is `N passed, N failed`, over both languages;
 * in CI (`CI=true`) a skipped test counts as failed.
 */
export const allTests = async () => {
  const chosen = process.argv.slice(2)
  const unknown = chosen.find((name) => !suites.includes(name))
  if (unknown !== undefined) throw new SetupFailed(`no suite is called ${unknown}; there are ${suites.join(", ")}`, 2)
  const wanted = (name) => chosen.length === 0 || chosen.includes(name)

  await setUp("test")
  const total = { passed: 0, failed: 0, skipped: 0 }
  const add = (counts) => Object.keys(total).forEach((key) => (total[key] += counts[key]))
  if (wanted("native")) add(await nativeTests())
  const projects = vitestProjects.filter(wanted)
  if (projects.length > 0) add(await vitestTests(projects))

  const skipFails = /^(true|1)$/.test(process.env.CI ?? "")
  if (total.skipped > 0) {
    say(`${total.skipped} skipped${skipFails ? ", which fails in CI" : ""}: the reasons stand above`)
  }
  const failed = total.failed + (skipFails ? total.skipped : 0)
  process.stdout.write(`\n${total.passed} passed, ${failed} failed\n`)
  return failed > 0 || total.passed === 0 ? 1 : 0
}
