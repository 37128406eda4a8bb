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

/** Tests of processes without a microVM, which wait for a third of their time. Their files share a process, as those of `unit` do. */
const processProjects = ["agent", "network", "cli", "mcp"]
/** Those that keep both cores busy. */
const busyProjects = ["daemon", "web", "package", "smoke", "guest"]
/**
 * Use cases that only `npm run smoke` follows. CI has the two widest: `cold-start` needs the network, a registry and two environments, and no
 * other test types the `pyro try` of `try-many`. test/guest has a case of everything that these four do: forks, compare, edits of files,
 * snapshots, patches and the record of the network.
 */
const useCasesOfSmoke = ["parallel-issues", "repro-fix", "review", "untrusted-code"]
const suites = Object.values(jobs).flat()
const tests = suites.filter((name) => name !== "checks")

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

  await setUp("test")
  if (wanted("checks")) await setUp("check")
  if (wanted("package")) await setUp("otherNodes")
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
      const since = Date.now()
      const counts = await suite()
      say(`${name}: ${duration(Date.now() - since)}`)
      add(counts)
    }
  }
  const withLab = wanted("lab")
  // Short tests that share nothing but modules. An author's own run (`npx vitest run --project unit`) gives each file a process.
  const unitTests = (options) => () => vitestTests(["unit"], { isolate: false, ...options })
  // As many as take the time of the lab run beside it, and the others before, with both cores.
  const [unitBefore, unitBeside] = withLab
    ? [["unit 1/2", unitTests({ shard: "1/2" })], ["unit 2/2", unitTests({ shard: "2/2", workers: 1 })]]
    : [["unit", unitTests({})], undefined]
  const native = [["native", nativeTests], ["python", pythonTests]].filter(([name]) => wanted(name))
  const unit = wanted("unit") ? [unitBefore] : []
  const beside = wanted("unit") && unitBeside !== undefined ? [unitBeside] : []
  const checks = wanted("checks") ? [["checks", runChecks]] : []
  const ofProcesses = processProjects.filter(wanted)
  const busy = busyProjects.filter(wanted)

  const exclude = useCasesOfSmoke.map((name) => `test/smoke/${name}.test.ts`)
  await inTurn(withLab ? unit : [...native, ...unit])
  await inTurn([
    [ofProcesses, () => vitestTests(ofProcesses, { isolate: false, workers: 3 })],
    [busy, () => vitestTests(busy, { exclude })]
  ].flatMap(([projects, run]) => projects.length > 0 ? [[projects.join(", "), run]] : []))
  // The lab's machine keeps one core busy for six minutes: what needs no other VM runs beside it, in turn. The lab packs dist/ at its
  // start, while the C programs are tested.
  await (withLab
    ? Promise.all([inTurn([...native, ...beside, ...checks]), inTurn([["lab", labTests]])])
    : inTurn(checks))

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
