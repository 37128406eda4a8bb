import { run } from "../setup/child.mjs"
import { inRoot, root } from "../setup/project.mjs"
import { say } from "../setup/report.mjs"

const fuzzSeconds = 4

const make = (...args) => run(["make", "--no-print-directory", "-C", inRoot("guest-agent"), ...args], { cwd: root })

/** Runs the C tests of guest-agent/, and each of its fuzz targets for some seconds, which counts as one more test. */
export const nativeTests = async () => {
  const tests = await make("test")
  const total = /^(\d+) tests, \d+ checks, \d+ failed$/m.exec(tests.output)
  // file.c:12: the test's sentence: not so: the condition
  const failures =
    new Set([...tests.output.matchAll(/^\S+:\d+: (.*): not so: /gm)].map(([, sentence]) => sentence)).size
  const fuzz = await make("fuzz-run", `SECONDS=${fuzzSeconds}`)
  for (const { code, output } of [tests, fuzz]) if (code !== 0) say(output)
  const failed = (tests.code === 0 ? 0 : Math.max(1, failures)) + (fuzz.code === 0 ? 0 : 1)
  const passed = (total === null ? 0 : Number(total[1])) + 1 - failed
  say(` ${failed === 0 ? "✓" : "×"} native (${passed} passed, ${failed} failed)`)
  return { passed: Math.max(0, passed), failed, skipped: 0 }
}
