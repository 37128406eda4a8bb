import { writeFileSync } from "node:fs"
import process from "node:process"

/** Reporter for vitest that leaves `{ passed, failed, skipped }` in the file named by PYRO_TEST_COUNTS, and names what was skipped. */
export default class Counts {
  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 }
    for (const module of modules) {
      const failedBefore = counts.failed
      for (const test of module.children.allTests()) {
        const { note, state } = test.result()
        counts[state] += 1
        if (state === "skipped") {
          process.stderr.write(`skipped: ${test.fullName}${note === undefined ? "" : `: ${note}`}\n`)
        }
      }
      // A file that cannot be loaded, or a hook that fails, fails without a test of its own.
      if (module.state() === "failed" && counts.failed === failedBefore) counts.failed += 1
    }
    writeFileSync(process.env.PYRO_TEST_COUNTS, JSON.stringify(counts))
  }
}
