import { writeFileSync } from "node:fs"
import process from "node:process"

const reasonOf = (errors) => String(errors?.[0]?.message ?? "").split("\n", 1)[0]

/**
 * Reporter for vitest. Writes `{ passed, failed, skipped, failures, skips, retried, files }` to the file in PYRO_TEST_COUNTS. `failures` and `skips` name what failed or was
 * skipped, and why. `files` has the time of each file. `retried` names the tests that failed and then passed in vitest's second run, with the reason of
 * the first failure.
 */
export default class Counts {
  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: 0, skipped: 0, failures: [], skips: [], retried: [], files: [] }
    const failed = (name, errors) => counts.failures.push({ name, reason: reasonOf(errors) })
    for (const error of unhandledErrors) failed("outside of the tests", [error])
    for (const module of modules) {
      counts.files.push({ name: module.relativeModuleId, ms: module.diagnostic().duration })
      const failedBefore = counts.failures.length
      for (const test of module.children.allTests()) {
        const { errors, note, state } = test.result()
        counts[state] += 1
        if (state === "failed") failed(`${module.relativeModuleId}: ${test.fullName}`, errors)
        if (state === "passed" && test.diagnostic()?.retryCount > 0) {
          counts.retried.push({ name: `${module.relativeModuleId}: ${test.fullName}`, reason: reasonOf(errors) })
        }
        if (state === "skipped") {
          process.stderr.write(`skipped: ${test.fullName}${note === undefined ? "" : `: ${note}`}\n`)
          counts.skips.push({ name: `${module.relativeModuleId}: ${test.fullName}`, reason: note ?? "skipped" })
        }
      }
      // A file that cannot be loaded, or a failing hook, fails without a test of its own.
      if (module.state() === "failed" && counts.failures.length === failedBefore) {
        failed(module.relativeModuleId, module.errors())
      }
    }
    counts.failed = counts.failures.length
    writeFileSync(process.env.PYRO_TEST_COUNTS, JSON.stringify(counts))
  }
}
