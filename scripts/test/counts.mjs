import { writeFileSync } from "node:fs"
import process from "node:process"

/**
 * Reporter for vitest. Writes `{ passed, failed, skipped, retried }` to the file in PYRO_TEST_COUNTS, with the names of skipped
 * tests. `retried` names the tests that failed and then passed in vitest's second run, with the reason of the first failure.
 */
export default class Counts {
  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0, retried: [] }
    for (const module of modules) {
      const failedBefore = counts.failed
      for (const test of module.children.allTests()) {
        const { errors, note, state } = test.result()
        counts[state] += 1
        if (state === "passed" && test.diagnostic()?.retryCount > 0) {
          counts.retried.push({ name: test.fullName, reason: errors?.[0]?.message ?? "" })
        }
        if (state === "skipped") {
          process.stderr.write(`skipped: ${test.fullName}${note === undefined ? "" : `: ${note}`}\n`)
        }
      }
      // A file that cannot be loaded, or a failing hook, fails without a test of its own.
      if (module.state() === "failed" && counts.failed === failedBefore) counts.failed += 1
    }
    writeFileSync(process.env.PYRO_TEST_COUNTS, JSON.stringify(counts))
  }
}
