import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { paired, partsByPath } from "../../../apps/web/src/review/patch.ts"
import { pathText } from "../../../src/contract/text/path-text.ts"
import { quoted } from "../../../src/lib/patch/model/file-names.ts"

const parts = (patch: string, isCut = false) => [...partsByPath(patch, isCut)]

describe("a patch as the page shows it", () => {
  it("each file has its path, lines and numbers", () => {
    const patch =
      "diff --git a/one b/one\nindex 1..2 100644\n--- a/one\n+++ b/one\n@@ -1,2 +1,2 @@ f()\n a\n-b\n+c\n\\ No newline at end of file\n" +
      "diff --git a/run b/run\nold mode 100644\nnew mode 100755\n" +
      "diff --git a/x b/y z\nsimilarity index 100%\nrename from x\nrename to y z\n" +
      "diff --git a/with blank b/with blank\n--- /dev/null\n+++ b/with blank\t\n@@ -0,0 +1 @@\n+x\n" +
      "diff --git \"a/q\\303\" \"b/q\\303\"\ndeleted file mode 100644\n--- \"a/q\\303\"\n+++ /dev/null\n@@ -1 +0,0 @@\n-y\n" +
      "diff --git a/blob b/blob\nGIT binary patch\nliteral 3\nKcmZ\n\nliteral 0\nHcmV\n\n"
    const found = parts(patch)
    assert.deepStrictEqual(found.map(([path]) => path), ["one", "run", "y z", "with blank", "\"q\\303\"", "blob"])
    assert.deepStrictEqual(found[0]![1].hunks[0]!.lines, [
      { sign: " ", text: "a", old: 1, new: 1 },
      { sign: "-", text: "b", old: 2 },
      { sign: "+", text: "c", new: 2 },
      { sign: "\\", text: " No newline at end of file" }
    ])
    assert.isTrue(found[5]![1].isBinary)
  })

  it.each([
    "größe.ts",
    "日本語/é",
    "a\u00a0b",
    " a",
    "a ",
    "a\u200bb",
    "a b",
    "dir /x",
    "a\"b",
    "a\\b",
    "a\nb",
    "\u202egpj.exe",
    "\xff"
  ])(
    "the part of %j has the path of the list of files",
    (name) => {
      const bytes = name === "\xff" ? Uint8Array.of(0xff) : new TextEncoder().encode(name)
      const [a, b] = ["a/", "b/"].map((side) => quoted(side + Buffer.from(bytes).toString("latin1")))
      for (
        const patch of [
          `diff --git ${a} ${b}\n--- ${a}\n+++ ${b}\n@@ -1 +1 @@\n-x\n+y\n`,
          `diff --git ${a} ${b}\nold mode 100644\nnew mode 100755\n`
        ]
      ) {
        assert.deepStrictEqual(parts(patch).map(([path]) => path), [pathText(bytes)])
      }
    }
  )

  it("lines that look like headers are lines of their file", () => {
    const lines = ["diff --git a/x b/x", "--- a/x", "+++ b/x", "@@ -1 +1 @@", "-gone"]
    const patch = `diff --git a/one b/one\n--- a/one\n+++ b/one\n@@ -1,5 +1,5 @@\n${
      lines.map((line) => `-${line}`).join("\n")
    }\n${lines.map((line) => `+${line}`).join("\n")}\n`
    const found = parts(patch)
    assert.deepStrictEqual(found.map(([path]) => path), ["one"])
    assert.deepStrictEqual(found[0]![1].hunks[0]!.lines.map(({ text }) => text), [...lines, ...lines])
  })

  it("the last file of a cut patch is not shown as if it were whole", () => {
    const one = "diff --git a/one b/one\n--- a/one\n+++ b/one\n@@ -1 +1 @@\n-a\n+b\n"
    assert.deepStrictEqual(
      parts(`${one}diff --git a/two b/two\n--- a/two\n+++ b/two\n@@ -1,9 +1,9 @@\n-a\n`, true).map(([path]) => path),
      ["one"]
    )
  })

  it("removed lines stand beside the added ones that follow", () => {
    const lines = [{ sign: " ", text: "a" }, { sign: "-", text: "b" }, { sign: "-", text: "c" }, {
      sign: "+",
      text: "d"
    }] as const
    assert.deepStrictEqual(paired(lines).map(([left, right]) => [left?.text, right?.text]), [["a", "a"], ["b", "d"], [
      "c",
      undefined
    ]])
  })

  it("any text ends, and no line is lost in pairs", () => {
    const line = fc.constantFrom(
      "diff --git a/x b/x",
      "--- a/x",
      "+++ b/x",
      "@@ -1,3 +1,2 @@",
      "@@ -1 +1,999999 @@",
      " a",
      "-b",
      "+c",
      "\\ No",
      "",
      "GIT binary patch"
    )
    fc.assert(
      fc.property(fc.array(line, { maxLength: 40 }), fc.boolean(), (lines, isCut) => {
        for (const [, part] of parts(lines.join("\n"), isCut)) {
          for (const { lines } of part.hunks) {
            const sides = paired(lines).flat().filter((side) => side !== undefined)
            assert.strictEqual(new Set(sides).size, lines.length)
          }
        }
      }),
      { numRuns: 2_000 }
    )
  })
})
