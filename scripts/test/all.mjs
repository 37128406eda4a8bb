import process from "node:process"
import { runChecks } from "../checks.mjs"
import { setUp } from "../setup.mjs"
import { duration, say, SetupFailed } from "../setup/report.mjs"
import { jobs } from "./jobs.mjs"
import { labTests } from "./lab.mjs"
import { nativeTests } from "./native.mjs"
import { pythonTests } from "./python.mjs"
import { retriesReport } from "./retries.mjs"
import { slowestReport } from "./slowest.mjs"
import { vitestTests } from "./vitest.mjs"

/** Tests of processes without a microVM. Their files share a process, as those of `unit` do. */
const processProjects = ["agent", "network", "cli", "mcp"]
const daemonProjects = ["daemon", "web", "smoke", "guest"]
/** Files of these projects that run at a time: each waits for a third to two thirds of its time. */
const workers = 3
/**
 * Use cases that only `npm run smoke` follows. CI has the two widest: `cold-start` needs the network, a registry and two environments, and no
 * other test types the `pyro try` of `try-many`. test/guest has a case of everything that these four do: forks, compare, edits of files,
 * snapshots, patches and the record of the network.
 */
const useCasesOfSmoke = ["parallel-issues", "repro-fix", "review", "untrusted-code"]
/** Suites that need no environment. */
const withoutGuests = ["native", "python", "unit", "checks"]
const suites = Object.values(jobs).flat()
const tests = suites.filter((name) => name !== "checks")

const packageTests = async () => {
  await setUp("otherNodes")
  return vitestTests(["package"])
}

/**
 * `npm test`: every suite but the lab and the checks, or the named ones (`npm test -- unit agent`). The last line is
 * `N passed, N failed`, over all of them, after the names of what failed. In CI (`CI=true`) the lab's short form is included, a skipped test counts as failed, and so does
 * a run with too many retried tests.
 * `checks` is what `npm run check` does; `npm test -- all checks` does both. `job:code` stands for the suites of a job of CI.
 */
export const allTests = async () => {
  const inCi = /^(true|1)$/.test(process.env.CI ?? "")
  const named = process.argv.slice(2).flatMap((name) => {
    if (name === "all") return tests.filter((one) => inCi || one !== "lab")
    return name.startsWith("job:") ? jobs[name.slice(4)] ?? name : name
  })
  const unknown = named.find((name) => !suites.includes(name))
  if (unknown !== undefined) {
    const known = [...suites, ...Object.keys(jobs).map((job) => `job:${job}`)]
    throw new SetupFailed(`no suite is called ${unknown}; there are ${known.join(", ")}`, 2)
  }
  const wanted = (name) => named.length > 0 ? named.includes(name) : name !== "checks" && (name !== "lab" || inCi)

  await setUp("testTools")
  if (wanted("checks")) await setUp("check")
  // A builder keeps one core busy, while suites without microVMs run.
  const guests = suites.some((name) => wanted(name) && !withoutGuests.includes(name))
    ? setUp("test")
    : Promise.resolve()
  // Those that wait for it fail.
  guests.catch(() => {})
  const total = { passed: 0, failed: 0, skipped: 0 }
  const failed = []
  const allRetried = []
  const allFiles = []
  const add = ({ failures = [], files = [], retried = [], skips = [], ...counts }) => {
    Object.keys(total).forEach((key) => (total[key] += counts[key]))
    failed.push(...failures, ...(inCi ? skips : []))
    allRetried.push(...retried)
    allFiles.push(...files)
  }
  /** Runs suites one after the other, and says how long each took: a suite that grew, or a core that waits, shows here first. */
  const inTurn = async (suites) => {
    for (const [name, suite] of suites) {
      if (!withoutGuests.includes(name)) await guests
      const since = Date.now()
      const counts = await suite()
      say(`${name}: ${duration(Date.now() - since)}`)
      add(counts)
    }
  }
  const exclude = useCasesOfSmoke.map((name) => `test/smoke/${name}.test.ts`)
  const ofProcesses = processProjects.filter(wanted)
  const ofDaemons = daemonProjects.filter(wanted)
  const inVitest = [
    // Short tests that share nothing but modules. An author's own run (`npx vitest run --project unit`) gives each file a process.
    [["unit"].filter(wanted), (projects) => vitestTests(projects, { isolate: false })],
    [ofProcesses, (projects) => vitestTests(projects, { isolate: false, workers })],
    [ofDaemons, (projects) => vitestTests(projects, { exclude, workers })]
  ].flatMap(([projects, run]) => projects.length > 0 ? [[projects.join(", "), () => run(projects)]] : [])
  // Both the lab and the suite `package` pack dist/: they are in turn.
  const beside = [
    ["native", nativeTests],
    ["python", pythonTests],
    ["lab", labTests],
    ["package", packageTests],
    ["checks", runChecks]
  ].filter(([name]) => wanted(name))
  // What keeps one core busy runs beside tests that wait for a third of their time and more.
  await Promise.all([inTurn(beside), inTurn(inVitest)])

  slowestReport(allFiles).forEach((line) => say(line))
  if (total.skipped > 0) say(`${total.skipped} skipped${inCi ? ", which fails in CI" : ""}`)
  const retries = retriesReport(allRetried)
  retries.lines.forEach(say)
  if (allRetried.length > 0) say(`${allRetried.length} retried`)
  failed.push(...retries.failures)
  process.stdout.write(failed.map(({ name, reason }) => `\nfailed: ${name}: ${reason}`).join(""))
  const failures = total.failed + retries.failures.length + (inCi ? total.skipped : 0)
  process.stdout.write(`\n${total.passed} passed, ${failures} failed\n`)
  return failures > 0 || total.passed === 0 ? 1 : 0
}
