import { readdirSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { assert, describe, it } from "vitest"

const adapters = resolve(import.meta.dirname, "../../../adapters")

const folders = readdirSync(adapters, { withFileTypes: true })
  .flatMap((one) => one.isDirectory() && one.name !== "node_modules" ? [one.name] : [])

/** Lines that are neither empty nor a comment, in all modules of a folder. */
const linesOf = (name: string): number =>
  readdirSync(join(adapters, name)).filter((file) => file.endsWith(".ts")).flatMap((file) =>
    readFileSync(join(adapters, name, file), "utf8").replace(/^\s*\/\*\*[^]*?\*\//gm, "").split("\n")
  ).filter((line) => !/^\s*(\/\/|$)/.test(line)).length

/**
 * The most lines of code of an adapter. 150 are enough for a framework with a small interface. CONTRIBUTING.md says what the others need more
 * for. A line that two adapters share belongs into the handle.
 */
const BOUNDS: Readonly<Record<string, number>> = {
  "ai-sdk": 260,
  "claude-agent": 150,
  "computesdk": 150,
  "deepagents": 150,
  "mastra": 230,
  "openai-agents": 490,
  "shared": 40,
  "tanstack-ai": 190
}

describe("the adapters", () => {
  it("each is thin: what it has beside its framework's words is in the handle", () => {
    const sizes = folders.map((name) => [name, linesOf(name)] as const)
    assert.sameMembers(sizes.map(([name]) => name), Object.keys(BOUNDS))
    assert.deepStrictEqual(sizes.filter(([name, lines]) => lines > BOUNDS[name]!), [])
    assert.deepStrictEqual(sizes.filter(([, lines]) => lines < 10), [], "the lines are counted")
  })
})
