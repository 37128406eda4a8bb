import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import stringWidth from "string-width"
import { colouredPatch, statText } from "../../../src/cli/views/diff.ts"
import type { DiffFile } from "../../../src/contract/rows/workspace-diff.ts"

const file = (path: string, additions: number, deletions: number): DiffFile => ({
  path,
  status: "modified",
  size: 100,
  additions,
  deletions
})
const summary = (files: ReadonlyArray<DiffFile>) => ({
  files: files.length,
  added: 0,
  modified: files.length,
  deleted: 0,
  renamed: 0,
  typeChanged: 0,
  additions: files.reduce((sum, one) => sum + (one.additions ?? 0), 0),
  deletions: files.reduce((sum, one) => sum + (one.deletions ?? 0), 0)
})
const stat = (files: ReadonlyArray<DiffFile>, width = 80) =>
  statText({ files, summary: summary(files), unlisted: 0 }, { width, colour: false })

describe("diff --stat", () => {
  it.effect("diff --stat has the format of git", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        yield* stat([file("a.ts", 3, 1), { ...file("new name", 0, 0), from: "old" }, {
          path: "b.bin",
          status: "added",
          binary: true,
          size: 9
        }]),
        " a.ts            |   4 +++-\n" +
          " old => new name |   0\n" +
          " b.bin           | Bin 9 bytes\n" +
          " 3 files changed, 3 insertions(+), 1 deletion(-)\n"
      )
      assert.strictEqual(yield* stat([]), "")
    }))

  it.effect("diff --stat fits the given width", () =>
    Effect.gen(function*() {
      const files = [file("a/very/long/path/to/some/file/in/a/deep/tree.ts", 900, 100), file("b", 1, 0)]
      const lines = (yield* stat(files, 60)).split("\n")
      for (const line of lines) assert.isAtMost(line.length, 60, line)
      assert.match(lines[0] ?? "", /^ \.\.\.\S+tree\.ts \| 1000 \++-+$/)
      assert.match(lines[1] ?? "", /^ b +\| {4}1 \+$/)
    }))

  it.effect("diff --stat aligns names by their columns on a terminal", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        yield* stat([file("文档.md", 1, 0), file("readme.md", 2, 0)]),
        " 文档.md   |   1 +\n readme.md |   2 ++\n 2 files changed, 3 insertions(+)\n"
      )
      const [cut = ""] = (yield* stat([file("目录/很长的文件名.md", 30, 0)], 30)).split("\n")
      assert.match(cut, /^ \.\.\.\S+名\.md \| /)
      assert.isAtMost(stringWidth(cut), 30)
    }))

  it.effect("diff --stat escapes control characters in names", () =>
    Effect.map(stat([file("a\u001b[2J", 1, 0)]), (text) => assert.include(text, " a\\x1b[2J | ")))
})

describe("a patch in colour", () => {
  it("a coloured patch paints changed lines and no header line", () => {
    const patch =
      "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@ f\n same\n--- old\n+++ new\ndiff --git a/y b/y\n"
    assert.strictEqual(
      colouredPatch(patch),
      "\u001b[1mdiff --git a/x b/x\u001b[0m\n\u001b[1m--- a/x\u001b[0m\n\u001b[1m+++ b/x\u001b[0m\n" +
        "\u001b[36m@@ -1,2 +1,2 @@ f\u001b[0m\n same\n\u001b[31m--- old\u001b[0m\n\u001b[32m+++ new\u001b[0m\n" +
        "\u001b[1mdiff --git a/y b/y\u001b[0m\n"
    )
  })

  it("a coloured patch escapes the guest's escape sequences", () => {
    assert.include(colouredPatch("@@ -0,0 +1 @@\n+\u001b[2J\n"), "\u001b[32m+\\x1b[2J\u001b[0m\n")
  })
})
