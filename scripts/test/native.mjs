import { run } from "../setup/child.mjs"
import { inRoot, root } from "../setup/project.mjs"
import { say } from "../setup/report.mjs"

/** Runs the C tests (`make test` of guest-agent/), which report in TAP: a line `ok …` or `not ok …` per test. */
export const nativeTests = async () => {
  const { code, output } = await run(["make", "--no-print-directory", "-C", inRoot("guest-agent"), "test"], {
    cwd: root
  })
  const results = output.split("\n").filter((line) => /^(not )?ok\b/.test(line))
  const skipped = results.filter((line) => /# skip/i.test(line))
  const failed = results.filter((line) => line.startsWith("not ok"))
  const counts = {
    passed: results.length - failed.length - skipped.length,
    failed: failed.length,
    skipped: skipped.length
  }
  if (code !== 0 && counts.failed === 0) counts.failed = 1
  say(counts.failed > 0 ? output : [...skipped, `native: ${counts.passed} passed`].join("\n"))
  return counts
}
