import process from "node:process"
import { runChecks } from "../checks.mjs"
import { setUp } from "../setup.mjs"
import { say, SetupFailed } from "../setup/report.mjs"
import { labTests } from "./lab.mjs"
import { nativeTests } from "./native.mjs"
import { vitestTests } from "./vitest.mjs"

const vitestProjects = ["unit", "agent", "network", "cli", "mcp", "daemon", "smoke", "guest"]
const tests = ["native", ...vitestProjects, "lab"]
const suites = [...tests, "checks"]

/**
 * `npm test`: every suite but the lab and the checks, or the named ones (`npm test -- unit agent`). The last line is
 * `N passed, N failed`, over all of them. In CI (`CI=true`) the lab's short form is included, and a skipped test counts as failed.
 * `checks` is what `npm run check` does; `npm test -- all checks` does both.
 */
export const allTests = async () => {
  const inCi = /^(true|1)$/.test(process.env.CI ?? "")
  const named = process.argv.slice(2).flatMap((name) =>
    name === "all" ? tests.filter((one) => inCi || one !== "lab") : name
  )
  const unknown = named.find((name) => !suites.includes(name))
  if (unknown !== undefined) throw new SetupFailed(`no suite is called ${unknown}; there are ${suites.join(", ")}`, 2)
  const wanted = (name) => named.length > 0 ? named.includes(name) : name !== "checks" && (name !== "lab" || inCi)

  await setUp("test")
  if (wanted("checks")) await setUp("check")
  const total = { passed: 0, failed: 0, skipped: 0 }
  const add = (counts) => Object.keys(total).forEach((key) => (total[key] += counts[key]))
  const withLab = wanted("lab")
  if (wanted("native") && !withLab) add(await nativeTests())
  const projects = vitestProjects.filter(wanted)
  if (projects.length > 0) add(await vitestTests(projects))
  // The lab's machine keeps one core busy for six minutes: what needs no other VM runs beside it, in turn.
  const beside = [...(wanted("native") && withLab ? [nativeTests] : []), ...(wanted("checks") ? [runChecks] : [])]
  const inTurn = async () => {
    for (const suite of beside) add(await suite())
  }
  await Promise.all([inTurn(), ...(withLab ? [labTests().then(add)] : [])])

  if (total.skipped > 0) say(`${total.skipped} skipped${inCi ? ", which fails in CI" : ""}`)
  const failed = total.failed + (inCi ? total.skipped : 0)
  process.stdout.write(`\n${total.passed} passed, ${failed} failed\n`)
  return failed > 0 || total.passed === 0 ? 1 : 0
}
