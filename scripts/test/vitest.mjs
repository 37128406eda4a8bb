import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { run } from "../setup/child.mjs"
import { inRoot, root } from "../setup/project.mjs"
import { say } from "../setup/report.mjs"

/** Runs projects of vitest.config.ts and counts their tests. */
export const vitestTests = async (projects) => {
  const folder = mkdtempSync(join(tmpdir(), "pyro-test-"))
  const report = join(folder, "report.json")
  try {
    const { code } = await run([
      process.execPath,
      inRoot("node_modules/vitest/vitest.mjs"),
      "run",
      ...projects.flatMap((project) => ["--project", project]),
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${report}`
    ], { cwd: root, stdio: "inherit" })
    return counted(report, code)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const counted = (report, code) => {
  if (!existsSync(report)) {
    say(`vitest ended with status ${code} and left no report`)
    return { passed: 0, failed: 1, skipped: 0 }
  }
  const files = JSON.parse(readFileSync(report, "utf8")).testResults
  const tests = files.flatMap((file) => file.assertionResults)
  const passed = tests.filter((test) => test.status === "passed").length
  const failedTests = tests.filter((test) => test.status === "failed").length
  // A file that cannot be loaded, or a hook that fails, fails without a test of its own.
  const failedFiles =
    files.filter((file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"))
      .length
  const failed = failedTests + failedFiles
  // An error outside of every test (an unhandled rejection) shows in the status alone.
  return { passed, failed: failed === 0 && code !== 0 ? 1 : failed, skipped: tests.length - passed - failedTests }
}
