import { assert, describe, it } from "vitest"
import type { Change } from "../../../../src/lib/patch/model/patch.ts"
import { parsePatch } from "../../../../src/lib/patch/parse.ts"
import { formatPatch } from "./format-patch.ts"
import { applied, lines, plan, rejects } from "./plan.ts"
import { file, link, tree } from "./trees.ts"

const numbered = (from: number, to: number) =>
  lines(...Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}`))

describe("a unified patch", () => {
  const hunk = lines("--- a/f", "+++ b/f", "@@ -2,3 +2,3 @@", " line 2", "-line 3", "+LINE 3", " line 4")

  it("a hunk applies at its stated line", () => {
    assert.strictEqual(applied({ f: numbered(1, 9) }, hunk)["f"], numbered(1, 9).replace("line 3", "LINE 3"))
  })

  it("a hunk applies at another line if its lines occur once, and the distance is reported", () => {
    const moved = `${lines("new", "lines")}${numbered(1, 9)}`
    assert.strictEqual(applied({ f: moved }, hunk)["f"], moved.replace("line 3", "LINE 3"))
    const result = plan(tree({ f: moved }), hunk)
    assert.deepStrictEqual(
      result._tag === "Success" && result.success.notes.map(({ hunk, offset }) => [hunk, offset]),
      [[1, 2]]
    )
  })

  it("a hunk whose lines occur at several other places is refused", () => {
    const twice = lines("x") + numbered(1, 9) + numbered(1, 9)
    assert.deepStrictEqual(rejects({ f: twice }, hunk), [
      "f 1: its lines are there 2 times (lines 3, 12); give more context"
    ])
  })

  it("a patch that does not fit is reported hunk by hunk", () => {
    const patch = lines(
      "--- a/f",
      "+++ b/f",
      "@@ -1,2 +1,2 @@",
      "-line 1",
      "+LINE 1",
      " line 2",
      "@@ -4,3 +4,3 @@",
      " line 4",
      "-line five",
      "+LINE 5",
      " line 6",
      "@@ -8,2 +8,3 @@",
      " line 8",
      "+more",
      " line 9",
      "--- a/gone",
      "+++ b/gone",
      "@@ -1 +1 @@",
      "-x",
      "+y",
      "--- a/done",
      "+++ b/done",
      "@@ -1,2 +1,3 @@",
      " a",
      "+b",
      " c"
    )
    assert.deepStrictEqual(rejects({ f: numbered(1, 9), done: lines("a", "b", "c") }, patch), [
      "f 2: line 5 is \"line 5\", where it has \"line five\"",
      "gone 0: there is no such file",
      "done 1: the file has what it would make: it seems to be applied already"
    ])
  })

  it("a patch is reported as already applied only if that is certain", () => {
    const patch = (...body: ReadonlyArray<string>) => lines("--- a/f", "+++ b/f", "@@ -1,9 +1,9 @@", ...body, "=")
    const f = lines("def mul(a, b):", "    return a * b", "", "x = 1", "y = 2")
    const already = ["f 1: the file has what it would make: it seems to be applied already"]
    for (
      const body of [
        [" def mul(a, b):", "-    return b", "+    return a * b"],
        ["-x = 0", "-y = 0", "+x = 1", "+y = 2"],
        [" x = 1", "-gone", " y = 2"]
      ]
    ) assert.deepStrictEqual(rejects({ f }, patch(...body)), already)
    assert.deepStrictEqual(rejects({ f }, patch("-return  a * zzz", "+    return a * b")), [
      "f 1: line 1 is \"def mul(a, b):\", where it has \"return  a * zzz\""
    ])
    assert.deepStrictEqual(rejects({ f }, patch("-return  a * zzz", "+    return a * b", " ", " z")), [
      "f 1: line 1 is \"def mul(a, b):\", where it has \"return  a * zzz\""
    ])
    // What leads up to a deletion is there, deleted or not.
    assert.deepStrictEqual(rejects({ f }, patch(" def mul(a, b):", "     return a * b", "-zzz")), [
      "f 1: line 3 is \"\", where it has \"zzz\""
    ])
  })

  it("a patch may have names with and without prefixes, dates, and the epoch for no file", () => {
    const date = "2024-01-02 03:04:05.000000000 +0100"
    const from = (old: string, now: string) => lines(`--- ${old}`, `+++ ${now}`, "@@ -1 +1 @@", "-a", "+b")
    for (
      const [old, now] of [
        ["a/dir/f", "b/dir/f"],
        ["dir/f", "dir/f"],
        [`dir/f\t${date}`, `dir/f\t${date}`],
        ["dir/f.orig", "dir/f"],
        ["old/dir/f", "new/dir/f"],
        ["\"a/dir/f\"", "\"b/dir/f\""]
      ] as const
    ) assert.deepStrictEqual(applied({ "dir/f": "a\n" }, from(old, now)), { "dir/f": "b\n" }, old)
    const epoch = "1970-01-01 01:00:00.000000000 +0100"
    const created = lines(`--- old/n\t${epoch}`, `+++ new/n\t${date}`, "@@ -0,0 +1 @@", "+n")
    assert.deepStrictEqual(applied({}, created), { n: "n\n" })
    const deleted = lines(`--- old/n\t${date}`, `+++ new/n\t${epoch}`, "@@ -1 +0,0 @@", "-n")
    assert.deepStrictEqual(applied({ n: "n\n" }, deleted), {})
    assert.deepStrictEqual(applied({}, lines("--- /dev/null", "+++ b/n", "@@ -0,0 +1 @@", "+n")), { n: "n\n" })
  })

  it("a patch may miscount its lines and may not be cut", () => {
    const miscounted =
      lines("--- a/f", "+++ b/f", "@@ -1,9 +1,2 @@", " line 1", "+new", " line 2", "--- a/g", "+++ b/g") +
      lines("@@ -1 +1,7 @@", "-g", "+G", "", "-- ", "2.39.5")
    assert.deepStrictEqual(applied({ f: numbered(1, 3), g: "g\n" }, miscounted), {
      f: lines("line 1", "new", "line 2", "line 3"),
      g: "G\n"
    })
    const short = lines("--- a/f", "+++ b/f", "@@ -1,2 +1,2 @@", " line 1", "-line 2")
    assert.throws(() => parsePatch(Buffer.from(short)), "was it cut?")
  })

  it("a patch may leave out the space of empty context lines", () => {
    const patch = lines("--- a/f", "+++ b/f", "@@ -1,3 +1,3 @@", " a", "", "-b", "+c")
    assert.deepStrictEqual(applied({ f: lines("a", "", "b") }, patch), { f: lines("a", "", "c") })
  })

  it("a patch follows git's headers", () => {
    const patch = lines(
      "diff --git a/one b/two words",
      "similarity index 50%",
      "rename from one",
      "rename to two words",
      "--- a/one",
      "+++ b/two words\t",
      "@@ -1 +1 @@",
      "-1",
      "+2",
      "diff --git a/copied b/copy",
      "similarity index 100%",
      "copy from copied",
      "copy to copy",
      "diff --git a/run b/run",
      "old mode 100644",
      "new mode 100755",
      "diff --git a/empty b/empty",
      "new file mode 100755",
      "index 0000000..e69de29",
      "diff --git a/link b/link",
      "deleted file mode 120000",
      "index 1..0",
      "--- a/link",
      "+++ /dev/null",
      "@@ -1 +0,0 @@",
      "-target",
      "\\ No newline at end of file"
    )
    const before = { one: "1\n", copied: "c\n", run: "r\n", link: link("target") }
    assert.deepStrictEqual(applied(before, patch), {
      copied: "c\n",
      copy: "c\n",
      empty: "100755 ",
      run: "100755 r\n",
      "two words": "2\n"
    })
  })

  it("a patch may swap two files", () => {
    const [a, b, c] = [file("a\n"), file("b\n"), file("c\n")]
    const path = (name: string) => Buffer.from(name)
    const changes: ReadonlyArray<Change> = [
      { path: path("b"), from: path("a"), before: a, after: a },
      { path: path("c"), from: path("b"), before: b, after: file("b!\n") },
      { path: path("a"), from: path("c"), before: c, after: c }
    ]
    assert.deepStrictEqual(applied({ a, b, c }, formatPatch(changes)), { a: "c\n", b: "a\n", c: "b!\n" })
  })

  it("a patch that the tree blocks is refused", () => {
    const creates = (path: string) => lines("--- /dev/null", `+++ b/${path}`, "@@ -0,0 +1 @@", "+n")
    const before = { f: "f\n", "dir/g": "g\n", link: link("dir") }
    assert.deepStrictEqual(rejects(before, creates("f")), ["f 0: it is there already"])
    assert.deepStrictEqual(rejects(before, creates("f/below")), ["f/below 0: f is no directory"])
    assert.deepStrictEqual(rejects(before, creates("link/below")), ["link/below 0: link is no directory"])
    assert.deepStrictEqual(rejects(before, creates("dir")), ["dir 0: it is a directory, and not empty"])
    const edits = (path: string) => lines(`--- a/${path}`, `+++ b/${path}`, "@@ -1 +1 @@", "-dir", "+x")
    assert.deepStrictEqual(rejects(before, edits("link")), ["link 0: it is a symbolic link"])
    assert.deepStrictEqual(rejects(before, edits("dir")), ["dir 0: it is a directory"])
    const deletes = lines("--- a/f", "+++ /dev/null", "@@ -1 +0,0 @@", "-f")
    assert.deepStrictEqual(rejects({ f: "f\nmore\n" }, deletes), [
      "f 0: the file holds more than what the patch deletes"
    ])
  })

  it("a patch that changes a link to a file, or the reverse, by mode is refused", () => {
    const before = { f: "dir\n", link: link("dir") }
    const changes = (path: string, old: string, now: string, ...rest: ReadonlyArray<string>) =>
      lines(`diff --git a/${path} b/${path}`, `old mode ${old}`, `new mode ${now}`, ...rest)
    const toFile =
      "link 0: the patch changes the mode of a symbolic link to that of a file; such a patch has to delete and create it"
    assert.deepStrictEqual(rejects(before, changes("link", "120000", "100644")), [toFile])
    const edit = ["--- a/link", "+++ b/link", "@@ -1 +1 @@", "-dir", "\\ No newline at end of file", "+x"]
    assert.deepStrictEqual(rejects(before, changes("link", "120000", "100755", ...edit)), [toFile])
    assert.deepStrictEqual(
      rejects(before, changes("link", "120000", "100644", "rename from link", "rename to other")),
      [toFile]
    )
    assert.deepStrictEqual(rejects(before, changes("f", "100644", "120000")), [
      "f 0: the patch changes the mode of a file to that of a symbolic link; such a patch has to delete and create it"
    ])
  })

  it("a patch touches no path outside /workspace and none in .git", () => {
    const named = (path: string) => lines(`--- a/${path}`, `+++ b/${path}`, "@@ -1 +1 @@", "-a", "+b")
    for (const path of ["../x", "a/../../x", "/etc/passwd", ".git/config", "sub/.GIT/hooks/x", "a//b", ".git"]) {
      assert.throws(() => parsePatch(Buffer.from(named(path))), "no patch may touch", path)
    }
    assert.throws(
      () => parsePatch(Buffer.from(lines("--- /etc/x", "+++ /etc/x", "@@ -1 +1 @@", "-a", "+b"))),
      "absolute"
    )
    for (const path of ["../x", ".git/x", "/x"]) {
      assert.throws(
        () => parsePatch(Buffer.from(`*** Begin Patch\n*** Delete File: ${path}\n*** End Patch\n`)),
        "touch"
      )
      const header = `diff --git a/a b/b\nrename from a\nrename to ${path}\n`
      assert.throws(() => parsePatch(Buffer.from(header)), "touch")
    }
    assert.doesNotThrow(() => parsePatch(Buffer.from(named(".gitignore"))))
  })
})

describe("binary content", () => {
  const old = Buffer.from([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  const at = (content: Uint8Array) => ({ path: Buffer.from("f"), before: file(old), after: file(content) })

  it("a binary patch for another file is refused", () => {
    const patch = Buffer.from(formatPatch([at(Buffer.from([0, 9]))])).toString("latin1")
    assert.deepStrictEqual(rejects({ f: file(Buffer.from([0, 1])) }, patch), [
      "f 0: its content is not what the binary patch was made for"
    ])
  })

  it("a binary patch applies git's deltas", () => {
    // Made by git 2.39 from 3,000 bytes of `i % 251` of which one is changed.
    const before = Buffer.from(Array.from({ length: 3000 }, (_, index) => index % 251))
    const after = Buffer.from(before)
    after[700] = 0xff
    const patch = lines(
      "diff --git a/f b/f",
      "index 32b86c349847ab62ce926776b2dc42e7e24d4b98..baa8c3349c20dfdecc2d540fc96c790edd163c4c 100644",
      "GIT binary patch",
      "delta 22",
      "ecmdlXzC(P&9wx^BlP7R%Y<|FegMIP?=HCEun+iz)",
      "",
      "delta 20",
      "ccmdlXzC(P&9;V6t+?tyoFyCOG{DAp409}3wNdN!<",
      ""
    )
    const result = plan(tree({ f: file(before) }), patch)
    if (result._tag === "Failure") return assert.fail(result.failure.message)
    assert.isTrue(Buffer.from(result.success.changes[0]!.after!.content).equals(after))
  })

  it("a binary patch cannot inflate beyond its stated size", () => {
    const patch = Buffer.from(formatPatch([at(Buffer.alloc(1_000_000))])).toString("latin1")
    assert.throws(() => parsePatch(Buffer.from(patch.replace("literal 1000000", "literal 10"), "latin1")), "damaged")
    assert.throws(
      () => parsePatch(Buffer.from(patch.replace("literal 1000000", "literal 999999999"), "latin1")),
      "large"
    )
  })

  it("a patch without its binary content is refused with that reason", () => {
    const patch = lines("diff --git a/f b/f", "index 1..2 100644", "Binary files a/f and b/f differ")
    assert.throws(() => parsePatch(Buffer.from(patch)), "git diff --binary")
  })
})

describe("a V4A patch", () => {
  const v4a = (...all: ReadonlyArray<string>) => lines("*** Begin Patch", ...all, "*** End Patch")
  const source = lines("class A:", "  def run(self):", "    pass", "", "class B:", "  def run(self):", "    pass")

  it("a V4A patch adds, updates, moves and deletes files", () => {
    const patch = v4a(
      "*** Add File: new/file.py",
      "+one",
      "+",
      "*** Update File: a.py",
      "*** Move to: b.py",
      "@@ class B:",
      "   def run(self):",
      "-    pass",
      "+    return 1",
      "*** Delete File: gone.py"
    )
    assert.deepStrictEqual(applied({ "a.py": source, "gone.py": "x\n" }, patch), {
      "b.py": lines("class A:", "  def run(self):", "    pass", "", "class B:", "  def run(self):", "    return 1"),
      "new/file.py": "one\n\n"
    })
  })

  it("a V4A patch that fits several places without an @@ line is refused", () => {
    const patch = v4a("*** Update File: a.py", "-    pass", "+    return 1")
    assert.deepStrictEqual(rejects({ "a.py": source }, patch), [
      "a.py 1: its lines are there 2 times (lines 3, 7); give more context"
    ])
    const missing = v4a("*** Update File: a.py", "@@ class C:", "-    pass", "+    return 1")
    assert.deepStrictEqual(rejects({ "a.py": source }, missing), [
      "a.py 1: no line \"class C:\" (its @@) is there from line 1 on"
    ])
  })

  it("a V4A patch that does not fit names the missing lines", () => {
    const rejected = (...body: ReadonlyArray<string>) =>
      rejects({ "a.py": source }, v4a("*** Update File: a.py", ...body))
    assert.deepStrictEqual(rejected("-return  a * zzz", "+class B:"), [
      "a.py 1: the file has no line \"return  a * zzz\""
    ])
    assert.deepStrictEqual(rejected(" class B:", "-  def walk(self):"), [
      "a.py 1: line 6 is \"  def run(self):\", where it has \"  def walk(self):\""
    ])
  })

  it("a V4A patch ignores white space and keeps the file's line ends", () => {
    const patch = v4a("*** Update File: f", " one", "-two  ", "+2", "+3")
    assert.deepStrictEqual(applied({ f: "one\r\ntwo\r\nthree" }, patch), { f: "one\r\n2\r\n3\r\nthree" })
    const atEnd = v4a("*** Update File: f", " x", "+new", "*** End of File")
    assert.deepStrictEqual(applied({ f: lines("x", "y", "x") }, atEnd), { f: lines("x", "y", "x", "new") })
  })

  it("a V4A patch adds at the end, or after its @@ line", () => {
    assert.deepStrictEqual(applied({ f: "one\ntwo" }, v4a("*** Update File: f", "+three")), { f: "one\ntwo\nthree\n" })
    assert.deepStrictEqual(applied({ f: lines("one", "two") }, v4a("*** Update File: f", "@@ one", "+1.5")), {
      f: lines("one", "1.5", "two")
    })
  })

  it("a V4A patch is read inside Markdown fences", () => {
    const after = { f: "2\n" }
    for (const fence of ["```", "```diff", "\n``` patch\r"]) {
      const fenced = (patch: string) => `${fence}\n${patch}\`\`\`\n`
      assert.deepStrictEqual(applied({ f: "1\n" }, fenced(v4a("*** Update File: f", "-1", "+2"))), after)
      assert.deepStrictEqual(
        applied({ f: "1\n" }, fenced(lines("--- a/f", "+++ b/f", "@@ -1 +1 @@", "-1", "+2"))),
        after
      )
    }
    // The fences are the file's own here.
    const nested = v4a("*** Add File: f", "+```", "+*** Begin Patch", "+```")
    assert.deepStrictEqual(applied({}, nested), { f: lines("```", "*** Begin Patch", "```") })
  })

  it("a V4A patch keeps every byte of a name", () => {
    const name = Buffer.from("grà").toString("latin1")
    assert.deepStrictEqual(applied({}, v4a("*** Add File: grà", "+x")), { [name]: "x\n" })
  })

  it("a V4A patch that is cut or invalid is refused", () => {
    assert.throws(() => parsePatch(Buffer.from("*** Begin Patch\n*** Add File: a\n+x\n")), "was it cut?")
    assert.throws(() => parsePatch(Buffer.from(v4a("*** Rename File: a"))), "expected ***")
    assert.throws(() => parsePatch(Buffer.from("just words\n")), "there is no patch in it")
    assert.throws(() => parsePatch(Buffer.from("")), "there is no patch in it")
  })
})
