import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "vitest"
import { temporaryFolder } from "../../support/pyro-cli.ts"

const script = path.resolve(import.meta.dirname, "../../../scripts/docs/worked-change.mjs")

const run = (...args: ReadonlyArray<string>) => {
  const { status, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: "utf8" })
  return { status, stderr }
}
const upToDate = { status: 0, stderr: "" }

const lines = (...words: ReadonlyArray<string>) => words.map((word) => `${word}\n`).join("")
const change = (...above: ReadonlyArray<string>) =>
  `# Contributing\n\n\`\`\`diff\n${
    lines(
      "diff --git a/rows.ts b/rows.ts",
      "--- a/rows.ts",
      "+++ b/rows.ts",
      `@@ -2,${above.length + 3} +2,${above.length + 4} @@ run`,
      ...above.map((line) => ` ${line}`),
      "+touch",
      " stop",
      " start",
      " delete",
      "diff --git a/touch.ts b/touch.ts",
      "new file mode 100644",
      "--- /dev/null",
      "+++ b/touch.ts",
      "@@ -0,0 +1 @@",
      "+work"
    )
  }\`\`\`\n\nThen:\n`

/** A repository with a page and `rows.ts`. */
const repository = <A>(page: string, rows: string, use: (folder: string, read: () => string) => A) => {
  const { folder, remove } = temporaryFolder("pyro-worked-")
  const file = path.join(folder, "CONTRIBUTING.md")
  try {
    fs.writeFileSync(file, page)
    fs.writeFileSync(path.join(folder, "rows.ts"), rows)
    return use(folder, () => fs.readFileSync(file, "utf8"))
  } finally {
    remove()
  }
}

describe("the worked change of CONTRIBUTING.md", () => {
  it("the worked change applies to the sources of this repository", () => {
    assert.deepStrictEqual(run("--check"), upToDate)
  })

  it("the worked change stays unchanged if only its line numbers differ", () => {
    const page = change("list", "fork", "update")
    repository(page, lines("create", "run", "list", "fork", "update", "stop", "start", "delete"), (folder, read) => {
      assert.deepStrictEqual([run(folder, "--check"), run(folder), read()], [upToDate, upToDate, page])
    })
  })

  it("the worked change is written anew if a line beside its hunk has changed", () => {
    const page = change("list", "fork", "update")
    repository(page, lines("run", "list", "compare", "update", "stop", "start", "delete"), (folder, read) => {
      assert.deepStrictEqual(run(folder, "--check"), {
        status: 1,
        stderr: "The worked change of CONTRIBUTING.md is out of step; write it anew with: node scripts/docs.mjs\n"
      })
      assert.strictEqual(read(), page)
      assert.deepStrictEqual(run(folder), upToDate)
      assert.strictEqual(read(), change("list", "compare", "update"))
      assert.deepStrictEqual(run(folder, "--check"), upToDate)
    })
  })

  it("the worked change is refused with the name of the file if its place is gone", () => {
    const page = change("list", "fork", "update")
    repository(page, "nothing of the sort\n", (folder, read) => {
      const { status, stderr } = run(folder)
      assert.strictEqual(status, 1)
      assert.match(stderr, /does not apply to the sources.*\n.*rows\.ts/)
      assert.strictEqual(read(), page)
    })
  })
})
