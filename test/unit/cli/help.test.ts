import { assert, describe, it } from "vitest"
import { help, usageOf } from "../../../src/cli/help.ts"
import { operations } from "../../../src/contract/operations.ts"

describe("help", () => {
  it.each(operations.map((row) => [row.cli.path.join(" "), row] as const))(
    "of %s shows the full path in its usage",
    (path, row) => {
      const text = help(row.cli.path)
      assert.include(text, `Usage\n  pyro ${path}`)
      assert.include(text, usageOf(row))
    }
  )

  it("of run names its flags, defaults and ranges", () => {
    const text = help(["run"])
    assert.match(text, /--mem-mib N +Guest memory in MiB \(64 to 1048576\) \[default: 1024\]/)
    assert.match(text, /--env NAME=VALUE/)
    assert.notMatch(text, /--rows|--cols|--command|--memory-mib/)
  })

  it("of pyro lists every command once, in at most 24 lines of at most 100 columns", () => {
    const lines = help([]).split("\n")
    assert.isAtMost(lines.length, 24)
    for (const line of lines) assert.isAtMost(line.length, 100, line)
    for (const row of operations) {
      assert.strictEqual(
        lines.filter((line) => line.startsWith(`  ${row.cli.path.join(" ")} `) && line.includes(row.summary)).length,
        1
      )
    }
  })

  it("never shows what @effect/cli would add by itself", () => {
    for (const row of operations) assert.notMatch(help(row.cli.path), /wizard|log-level|completions/)
  })
})
