import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { setUp } from "../setup.mjs"
import { mustRun } from "../setup/child.mjs"
import { inRoot } from "../setup/project.mjs"
import { say, step } from "../setup/report.mjs"
import { vitestTests } from "./vitest.mjs"

/** Each host's package on npm, and the version that the tests passed with. test/hosts/agent-hosts.ts says how each is used. */
const hostPackages = [
  ["@anthropic-ai/claude-code", "2.1.332"],
  ["@openai/codex", "0.171.0"],
  ["opencode-ai", "1.18.33"],
  ["@google/gemini-cli", "0.61.0"],
  // It needs an account to talk to a model, and lists its skills without one.
  ["@github/copilot", "1.0.102"]
]

/**
 * `npm run test:hosts`: installs each agent host from npm (1.3 GB, below node_modules/.cache) and has each host use pyro, with a
 * scripted model on the loopback interface in place of its API. `-- --latest` takes the current releases. The last line is
 * `N passed, N failed`.
 */
export const hostTests = async () => {
  const isLatest = process.argv.includes("--latest")
  await setUp("test")
  const folder = inRoot("node_modules/.cache/pyro-hosts")
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, "package.json"), `${JSON.stringify({ private: true })}\n`)
  await step(
    "installing the agent hosts from npm (1.3 GB, 1 min)",
    () => {
      const wanted = hostPackages.map(([name, version]) => `${name}@${isLatest ? "latest" : version}`)
      return mustRun("npm install", ["npm", "install", "--no-package-lock", ...wanted], {
        cwd: folder,
        interrupt: "kill"
      })
    }
  )
  for (const [name] of hostPackages) {
    const { version } = JSON.parse(readFileSync(join(folder, "node_modules", name, "package.json"), "utf8"))
    say(`  ${name} ${version}`)
  }
  const { failed, passed, skipped } = await vitestTests(["hosts"])
  process.stdout.write(`\n${passed} passed, ${failed + skipped} failed\n`)
  return failed + skipped > 0 || passed === 0 ? 1 : 0
}
