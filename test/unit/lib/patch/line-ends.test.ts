import { assert, describe, it } from "vitest"
import { applied, lines, plan, rejects } from "./plan.ts"
import { tree } from "./trees.ts"

describe("line ends of a patch", () => {
  const ending = (end: string) =>
    lines("--- a/f", "+++ b/f", "@@ -1,3 +1,4 @@", " a", "-b", "+B", "+new", " c")
      .replaceAll("\n", end)

  it("a patch takes the line ends of a file whose lines all end alike", () => {
    assert.deepStrictEqual(applied({ f: "a\r\nb\r\nc\r\n" }, ending("\n")), { f: "a\r\nB\r\nnew\r\nc\r\n" })
    assert.deepStrictEqual(applied({ f: "a\nb\nc\n" }, ending("\r\n")), { f: "a\nB\nnew\nc\n" })
    assert.deepStrictEqual(applied({ f: "a\r\nb\r\nc\r\n" }, ending("\r\n")), { f: "a\r\nB\r\nnew\r\nc\r\n" })
    const v4a = (end: string) =>
      lines("*** Begin Patch", "*** Update File: f", "@@", "-b", "+B", "*** End Patch").replaceAll("\n", end)
    assert.deepStrictEqual(applied({ f: "a\r\nb\r\n" }, v4a("\n")), { f: "a\r\nB\r\n" })
    assert.deepStrictEqual(applied({ f: "a\nb\n" }, v4a("\r\n")), { f: "a\nB\n" })
    const result = plan(tree({ f: "a\r\nb\r\nc\r\n" }), ending("\n"))
    assert.deepStrictEqual(
      result._tag === "Success" && [result.success.notes, Array.from(result.success.lineEnds)],
      [[], [["f", "crlf"]]]
    )
  })

  it("a file without a line feed at its end, with CR before CRLF and with trimmed empty lines keeps its line ends", () => {
    const last = lines("--- a/f", "+++ b/f", "@@ -1,2 +1,2 @@", " a", "-b", "\\ No newline at end of file", "+c")
    assert.deepStrictEqual(applied({ f: "a\r\nb" }, last), { f: "a\r\nc\r\n" })
    const stray = lines("--- a/f", "+++ b/f", "@@ -2,2 +2,2 @@", " a", "-b", "+c")
    assert.deepStrictEqual(applied({ f: "z\r\r\na\r\nb\r\n" }, stray), { f: "z\r\r\na\r\nc\r\n" })
    const trimmed = "--- a/f\r\n+++ b/f\r\n@@ -1,3 +1,3 @@\r\n a\r\n\r\n-b\r\n+c\r\n"
    assert.deepStrictEqual(applied({ f: "a\r\n\r\nb\r\n" }, trimmed), { f: "a\r\n\r\nc\r\n" })
    assert.deepStrictEqual(applied({ f: "a\n\nb\n" }, trimmed), { f: "a\n\nc\n" })
  })

  it("a patch keeps to the byte where the file or the patch mixes line ends, or no old line tells them", () => {
    assert.deepStrictEqual(rejects({ f: "a\r\nb\nc\r\n" }, ending("\n")), [
      "f 1: line 1 ends with CR LF, where it has LF"
    ])
    const toLf = lines("--- a/f", "+++ b/f", "@@ -1,2 +1,2 @@", " a\r", "-b\r", "+b")
    assert.deepStrictEqual(applied({ f: "a\r\nb\r\n" }, toLf), { f: "a\r\nb\n" })
    const behind = lines("--- a/f", "+++ b/f", "@@ -1,0 +2 @@", "+b")
    assert.deepStrictEqual(applied({ f: "a\r\n" }, behind), { f: "a\r\nb\n" })
    const made = lines("--- /dev/null", "+++ b/n", "@@ -0,0 +1 @@", "+b\r")
    assert.deepStrictEqual(applied({}, made), { n: "b\r\n" })
  })

  it("a patch with other line ends that does not fit is refused as a whole, and names the line", () => {
    const other = ending("\n").replace("-b", "-x")
    assert.deepStrictEqual(rejects({ f: "a\r\nb\r\nc\r\n" }, other), ["f 1: line 2 is \"b\", where it has \"x\""])
    const two = `${ending("\n")}${lines("--- a/g", "+++ b/g", "@@ -1 +1 @@", "-x", "+y")}`
    assert.deepStrictEqual(rejects({ f: "a\r\nb\r\nc\r\n", g: "z\r\n" }, two), [
      "g 1: line 1 is \"z\", where it has \"x\""
    ])
  })
})
