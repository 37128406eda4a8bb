import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "fast-check"
import { MAX_EDITED_BYTES, nearMatch, replaceText } from "../../../../../src/workspace/content/files/replace.ts"

const replace = (content: string | Buffer, oldText: string, newText: string, replaceAll = false) => {
  const outcome = replaceText(Buffer.from(content), { oldText, newText, replaceAll })
  return outcome._tag === "replaced"
    ? { ...outcome, content: Buffer.from(outcome.content).toString("latin1") }
    : outcome
}

describe("replacing text", () => {
  it("an edit changes the only occurrence and reports its line", () => {
    assert.deepStrictEqual(replace("a\nb\nc\n", "b\n", "x\ny\n"), {
      _tag: "replaced",
      content: "a\nx\ny\nc\n",
      count: 1,
      lines: [2],
      lineEnd: undefined
    })
    assert.strictEqual((replace("only", "only", "") as { readonly content: string }).content, "")
  })

  it("an edit refuses text that occurs several times, with the lines", () => {
    assert.deepStrictEqual(replace("x\ny x\n\nx", "x", "z"), { _tag: "not-replaced", count: 3, lines: [1, 2, 4] })
    assert.deepStrictEqual(replace("aaa", "aa", "b"), { _tag: "not-replaced", count: 2, lines: [1, 1] })
    assert.deepStrictEqual(replace("abc", "x", "y"), { _tag: "not-replaced", count: 0, lines: [] })
  })

  it("replace_all replaces as String.replaceAll does and reports the new lines", () => {
    FastCheck.assert(FastCheck.property(
      FastCheck.stringMatching(/^[ab\n]{0,40}$/),
      FastCheck.stringMatching(/^[ab\n]{1,3}$/),
      FastCheck.stringMatching(/^[abc\n]{0,3}$/),
      (content, oldText, newText) => {
        const outcome = replace(content, oldText, newText, true)
        if (!content.includes(oldText)) return assert.strictEqual(outcome._tag, "not-replaced")
        const marked = content.replaceAll(oldText, `#${newText}`)
        const lines = [...marked.matchAll(/#/g)].map(({ index }) => marked.slice(0, index).split("\n").length)
        assert.deepStrictEqual(outcome, {
          _tag: "replaced",
          content: content.replaceAll(oldText, newText),
          count: lines.length,
          lines,
          lineEnd: undefined
        })
      }
    ))
  })

  it("an edit works on a file that is not UTF-8", () => {
    const content = Buffer.from("caf\xe9 = 1\nna\xefve = 2\n\0\xff", "latin1")
    const outcome = replace(content, " = 2", " = 3")
    assert.strictEqual((outcome as { readonly content: string }).content, "caf\xe9 = 1\nna\xefve = 3\n\0\xff")
  })

  it("an edit treats line ends as CRLF only if all of the file's are", () => {
    const windows = replace("a\r\nb\r\nc\r\n", "a\nb\n", "x\ny\n")
    assert.deepStrictEqual(windows, {
      _tag: "replaced",
      content: "x\r\ny\r\nc\r\n",
      count: 1,
      lines: [1],
      lineEnd: "crlf"
    })
    assert.deepStrictEqual(replace("a\r\nb\r\n", "b", "b\nc"), {
      _tag: "replaced",
      content: "a\r\nb\r\nc\r\n",
      count: 1,
      lines: [2],
      lineEnd: "crlf"
    })
    assert.strictEqual(replace("a\r\nb\n", "a\nb", "x")._tag, "not-replaced")
    const exact = replace("a\r\nb\r\n", "a\r\nb", "a\nb")
    assert.deepStrictEqual([exact._tag, (exact as { readonly content: string }).content], ["replaced", "a\nb\r\n"])
  })

  it("an edit treats CRLF in its old text as LF only if all lines of the file end in LF", () => {
    assert.deepStrictEqual(replace("a\nb\nc\n", "a\r\nb\r\n", "x\r\ny\r\n"), {
      _tag: "replaced",
      content: "x\ny\nc\n",
      count: 1,
      lines: [1],
      lineEnd: "lf"
    })
    assert.strictEqual(replace("a\nb\r\n", "a\r\nb", "x")._tag, "not-replaced")
    assert.strictEqual(replace("a\nb\n", "a\r\nb\n", "x")._tag, "not-replaced")
    const exact = replace("a\nb\n", "b", "b\r\nc")
    assert.deepStrictEqual([exact._tag, (exact as { readonly content: string }).content], ["replaced", "a\nb\r\nc\n"])
  })

  it("an edit makes no file that is too large", () => {
    const outcome = replace(Buffer.alloc(1_000_000, "a"), "a", "b".repeat(100), true)
    assert.deepStrictEqual(outcome, { _tag: "too-large", size: 100_000_000 })
    assert.isAbove(100_000_000, MAX_EDITED_BYTES)
  })
})

describe("what comes close to text that is not there", () => {
  const near = (content: string, oldText: string, newText = "new") =>
    nearMatch(Buffer.from(content), { oldText, newText })

  it("an edit names the place where only white space differs", () => {
    assert.include(
      near("a\n\tif (x) {\n\t\ty()\n\t}\n", "  if (x) {\n    y()\n  }"),
      "at line 2 if white space were ignored"
    )
    assert.include(near("\n\n\nfoo( a, b )\n", "foo(a,b)"), "at line 4 ")
  })

  it("an edit reports that it was made before", () => {
    assert.include(near("x\nretries = 5\n", "retries = 3", "retries = 5"), "there already, at line 2")
  })

  it("an edit names the first matching line if the rest differs", () => {
    assert.include(near("x\ndef f():\n  return 1\n", "def f():\n  return 2\n"), "its first line is at line 2")
  })

  it("an edit distinguishes replaced bytes from missing text", () => {
    assert.include(near("caf\xe9", "caf\ufffd"), "U+FFFD")
  })

  it("an edit suggests nothing if nothing is close", () => {
    assert.strictEqual(near("abc", "xyz"), "the text to replace is not there; read the file again")
    assert.strictEqual(near("abc", " \n"), "the text to replace is not there; read the file again")
    assert.notInclude(near(`${"-".repeat(2_097_153)}a b`, "ab"), "white space")
  })
})
