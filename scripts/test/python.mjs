import { run } from "../setup/child.mjs"
import { root } from "../setup/project.mjs"
import { python } from "../setup/python.mjs"
import { say } from "../setup/report.mjs"

const countOf = (output, word) => Number(new RegExp(`(?:^|, |=+ )(\\d+) ${word}`, "m").exec(output)?.[1] ?? 0)

/** Runs the tests of rootfs/image under the Python of builders, without a VM, and counts them. */
export const pythonTests = async () => {
  const { code, output } = await run([python, "-m", "pytest", "-rfEs", "--color=no"], { cwd: root })
  // FAILED test/python/test_unpack.py::test_links - AssertionError: ...
  const failures = [...output.matchAll(/^(?:FAILED|ERROR) (\S+)(?: - (.*))?$/gm)]
    .map(([, name, reason = ""]) => ({ name, reason }))
  const skips = [...output.matchAll(/^SKIPPED \[\d+\] ([^ ]+): (.*)$/gm)].map(([, name, reason]) => ({ name, reason }))
  const failed = code === 0 ? 0 : Math.max(1, failures.length)
  if (code !== 0) say(output)
  const passed = countOf(output, "passed")
  say(` ${failed === 0 ? "✓" : "×"} python (${passed} passed, ${failed} failed)`)
  return { passed, failed, skipped: countOf(output, "skipped"), failures, skips }
}
