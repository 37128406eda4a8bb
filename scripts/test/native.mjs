import { run } from "../setup/child.mjs"
import { inRoot, root } from "../setup/project.mjs"
import { say } from "../setup/report.mjs"

const fuzzSeconds = 4

const make = (folder, ...args) => run(["make", "--no-print-directory", "-C", inRoot(folder), ...args], { cwd: root })

/**
 * Runs the C tests of guest-agent/, and each fuzz target of guest-agent/ and native/ for some seconds. Each folder is one more
 * test.
 */
export const nativeTests = async () => {
  const tests = await make("guest-agent", "test")
  const total = /^(\d+) tests, \d+ checks, \d+ failed$/m.exec(tests.output)
  // file.c:12: the test's sentence: not so: the condition
  const failures =
    new Set([...tests.output.matchAll(/^\S+:\d+: (.*): not so: /gm)].map(([, sentence]) => sentence)).size
  const fuzzed = []
  for (const folder of ["guest-agent", "native"]) fuzzed.push(await make(folder, "fuzz-run", `SECONDS=${fuzzSeconds}`))
  for (const { code, output } of [tests, ...fuzzed]) if (code !== 0) say(output)
  const failed = (tests.code === 0 ? 0 : Math.max(1, failures)) + fuzzed.filter(({ code }) => code !== 0).length
  const passed = (total === null ? 0 : Number(total[1])) + fuzzed.length - failed
  say(` ${failed === 0 ? "✓" : "×"} native (${passed} passed, ${failed} failed)`)
  return { passed: Math.max(0, passed), failed, skipped: 0 }
}
