import { existsSync } from "node:fs"
import process from "node:process"
import { setUp } from "./setup.mjs"
import { lastLines, run } from "./setup/child.mjs"
import { inRoot, root, typesCompiler } from "./setup/project.mjs"
import { python, pythonTool } from "./setup/python.mjs"
import { duration } from "./setup/report.mjs"

const node = (path, ...args) => [process.execPath, inRoot(path), ...args]
const sources = ["src", "adapters", "apps", "test", "bench", "examples", "scripts"].filter((folder) =>
  existsSync(inRoot(folder))
)

/** Every Python file that git knows or could know: also clients and fixtures beside tests in TypeScript. */
const ruff = (...words) => [pythonTool("ruff"), ...words, "--quiet", root]

/** Longest first: two run at a time. */
const checks = [
  ...["guest-agent", "native"].map((folder) => ({
    name: `${folder}: warnings and static analysis`,
    commands: [["make", "--no-print-directory", "-C", inRoot(folder), "analyze"]]
  })),
  {
    name: "types and floating effects",
    commands: [[typesCompiler, "--noEmit"], [typesCompiler, "--noEmit", "-p", inRoot("apps/web")]]
  },
  { name: "lint and format", commands: [node("node_modules/eslint/bin/eslint.js", "--max-warnings=0", ".")] },
  { name: "import rules", commands: [node("node_modules/dependency-cruiser/bin/dependency-cruise.mjs", ...sources)] },
  {
    name: "unused files and exports",
    commands: [
      node(
        "node_modules/knip/bin/knip.js",
        "--config",
        ".knip.json",
        "--include",
        "files,exports,types",
        "--no-progress"
      )
    ]
  },
  { name: "Python: lint and format", commands: [ruff("check"), ruff("format", "--check")] },
  { name: "Python: types", commands: [[python, "-m", "mypy"]] },
  { name: "format of C", commands: [node("scripts/check/c-format.mjs")] },
  { name: "circles among C modules", commands: [node("scripts/check/c-circles.mjs")] },
  { name: "generated docs in step", commands: [node("scripts/docs.mjs", "--check")] },
  { name: "links in the documents", commands: [node("scripts/docs/links.mjs")] }
]

/** What is packed, on every Node that it supports. It takes both cores, so it follows the others; `npm test` has most of it in its suite `package`. */
const packageCheck = {
  name: "the package on Node 20, 22 and 24, Bun and Deno",
  commands: [node("node_modules/vitest/vitest.mjs", "run", "--project", "runtimes")]
}

/** `npm run check`. */
export const allChecks = async () => {
  for (const need of ["check", "test", "otherNodes"]) await setUp(need)
  const counts = [await runChecks(), await runChecks([packageCheck])]
  return counts.every(({ failed }) => failed === 0) ? 0 : 1
}

/** Runs checks: one line per check with its time. The output of failed checks follows all lines. Resolves to the counts. */
export const runChecks = async (wanted = checks) => {
  const waiting = [...wanted]
  const failures = []
  const worker = async () => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
      const startedAt = Date.now()
      const failure = await firstFailure(check.commands)
      process.stdout.write(
        `${failure === undefined ? "ok    " : "FAILED"}  ${check.name.padEnd(44)} ${duration(Date.now() - startedAt)}\n`
      )
      if (failure !== undefined) failures.push({ check, failure })
    }
  }
  await Promise.all([worker(), worker()])
  for (const { check, failure } of failures) {
    process.stdout.write(`\n${check.name}:\n${lastLines(failure, 200)}\n`)
  }
  return { passed: wanted.length - failures.length, failed: failures.length, skipped: 0 }
}

const firstFailure = async (commands) => {
  for (const command of commands) {
    const { code, output } = await run(command, { cwd: root })
    if (code !== 0) return output
  }
  return undefined
}
