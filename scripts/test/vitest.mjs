import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { run } from "../setup/child.mjs"
import { inRoot, root } from "../setup/project.mjs"
import { say } from "../setup/report.mjs"

/**
 * Runs projects of vitest.config.ts, or the `files` of them, without those that `exclude` names, and counts their tests. `reporter` prints the
 * progress. With `isolate: false` files share a process, one after the other, and load a module once: short files take most of their time to
 * load modules.
 */
export const vitestTests = async (
  projects,
  { exclude = [], files = [], isolate = true, reporter = "default", workers } = {}
) => {
  const folder = mkdtempSync(join(tmpdir(), "pyro-test-"))
  const report = join(folder, "counts.json")
  try {
    const { code } = await run([
      process.execPath,
      inRoot("node_modules/vitest/vitest.mjs"),
      "run",
      ...files,
      ...projects.flatMap((project) => ["--project", project]),
      ...exclude.flatMap((file) => ["--exclude", file]),
      ...(isolate ? [] : ["--no-isolate"]),
      ...(workers === undefined ? [] : [`--maxWorkers=${workers}`]),
      `--reporter=${reporter}`,
      `--reporter=${inRoot("scripts/test/counts.mjs")}`
    ], { cwd: root, env: { ...process.env, PYRO_TEST_COUNTS: report }, stdio: "inherit" })
    if (!existsSync(report)) {
      say(`vitest ended with status ${code} before it had run the tests`)
      return {
        passed: 0,
        failed: 1,
        skipped: 0,
        retried: [],
        failures: [{ name: projects.join(", "), reason: `vitest ended with ${code}` }]
      }
    }
    const counts = JSON.parse(readFileSync(report, "utf8"))
    for (const { name, reason } of counts.retried) {
      say(`flaky: failed once (${reason}), passed when run again: ${name}`)
    }
    return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
