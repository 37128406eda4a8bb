import { assert, describe, it } from "vitest"
import { PatchRejected } from "../../../../src/contract/errors/errors.ts"
import { parsePatch } from "../../../../src/lib/patch/parse.ts"

const lines = (...all: ReadonlyArray<string>) => all.map((line) => `${line}\n`).join("")
const v4a = (...all: ReadonlyArray<string>) => lines("*** Begin Patch", ...all, "*** End Patch")

const parsed = (patch: string) => parsePatch(Buffer.from(patch, "latin1"))
const paths = (patch: string) => parsed(patch).files.map(({ from, to }) => [from, to])

const refused = (patch: string) => {
  try {
    parsed(patch)
  } catch (error) {
    if (error instanceof PatchRejected) return error
    throw error
  }
  return assert.fail("it is read")
}
const reasons = (patch: string) => refused(patch).rejects.map(({ path, reason }) => `${path}: ${reason}`)

const hunk = ["@@ -1 +1 @@", "-a", "+b"]
const unified = (old: string, now: string) => lines(`--- ${old}`, `+++ ${now}`, ...hunk)
const git = (old: string, now: string) => lines(`diff --git ${old} ${now}`) + unified(old, now)

describe("the paths of a patch", () => {
  it("a patch's path may begin with ./ or /workspace/ in all notations", () => {
    for (const path of ["d/f", "./d/f", "././d/./f", "/workspace/d/f", "/workspace/./d/f", "/./workspace/d/f"]) {
      const same = [["d/f", "d/f"]]
      assert.deepStrictEqual(paths(unified(path, path)), same, path)
      assert.deepStrictEqual(paths(unified(`a/${path}`, `b/${path}`)), same, path)
      assert.deepStrictEqual(paths(git(path, path)), same, path)
      assert.deepStrictEqual(paths(git(`a/${path}`, `b/${path}`)), same, path)
      assert.deepStrictEqual(paths(unified("/dev/null", path)), [[undefined, "d/f"]], path)
      assert.deepStrictEqual(paths(unified(path, "/dev/null")), [["d/f", undefined]], path)
      assert.deepStrictEqual(paths(v4a(`*** Update File: ${path}`, "-a", "+b")), same, path)
      const moved = v4a("*** Update File: x", `*** Move to: ${path}`, `*** Delete File: ${path}`)
      assert.deepStrictEqual(paths(moved), [["x", "d/f"], ["d/f", undefined]], path)
      const renamed = lines("diff --git a/x b/y", `rename from ${path}`, `rename to ${path}2`)
      assert.deepStrictEqual(paths(renamed), [["d/f", "d/f2"]], path)
    }
  })

  it("a patch's path loses a/ and b/ first, and only as prefixes", () => {
    assert.deepStrictEqual(paths(unified("/dev/null", "./b/f")), [[undefined, "b/f"]])
    assert.deepStrictEqual(paths(unified("/workspace/a/f", "/dev/null")), [["a/f", undefined]])
    assert.deepStrictEqual(paths(unified("a/workspace/f", "b/workspace/f")), [["workspace/f", "workspace/f"]])
    assert.deepStrictEqual(paths(unified("/workspace/workspace/f", "/workspace/workspace/f")), [
      ["workspace/f", "workspace/f"]
    ])
  })

  it("a patch may write one path in two ways, but not name two files", () => {
    for (
      const [old, now] of [["f", "./f"], ["a/f", "/workspace/f"], ["/workspace/f", "f"], ["a/./f", "b/f"]] as const
    ) {
      assert.deepStrictEqual(paths(unified(old, now)), [["f", "f"]], old)
    }
    for (const [old, now] of [["a/etc/f", "/etc/f"], ["./workspace/f", "/workspace/f"]] as const) {
      assert.include(refused(unified(old, now)).detail, "different files")
    }
  })

  it("a patch with an invalid path is refused once, with the reason", () => {
    for (
      const [path, reason] of [
        ["/etc/passwd", "it is absolute, and not beneath /workspace"],
        ["/workspaces/f", "it is absolute, and not beneath /workspace"],
        ["/workspace/../etc/passwd", "it leads out of its directory"],
        ["./../f", "it leads out of its directory"],
        ["d/./../f", "it leads out of its directory"],
        ["/workspace/.git/config", "it lies in .git"],
        ["./.GIT/config", "it lies in .git"],
        ["d/./.git/config", "it lies in .git"],
        ["d//f", "it has an empty component"],
        ["/workspace//etc/passwd", "it has an empty component"],
        [".//etc/passwd", "it has an empty component"],
        ["d/", "it has an empty component"],
        ["/workspace", "it names no file"],
        ["/workspace/", "it names no file"],
        ["./", "it names no file"]
      ] as const
    ) {
      assert.deepStrictEqual(reasons(unified(path, path)), [`${path}: ${reason}`])
      assert.deepStrictEqual(reasons(git(path, path)), [`${path}: ${reason}`])
      assert.deepStrictEqual(reasons(v4a(`*** Update File: ${path}`, "-a", "+b")), [`${path}: ${reason}`])
    }
    const twice = v4a("*** Delete File: ../f", "*** Add File: ../f", "+x")
    assert.deepStrictEqual(reasons(twice), ["../f: it leads out of its directory"])
    const nul = unified("\"a/./\\000\"", "\"b/./\\000\"")
    assert.deepStrictEqual(reasons(nul), ["\"./\\000\": it has a NUL byte in it"])
  })
})

describe("the last hunk of a patch", () => {
  const names = lines("--- a/f", "+++ b/f", "@@ -1 +1 @@", "-a", "+b")

  it("a hunk with fewer lines than its header states is refused with the correction", () => {
    const said = (...body: ReadonlyArray<string>) => refused(names + lines(...body).replace(/\n$/, "")).detail
    const remedy = "; was it cut? correct the header or give the rest"
    const three = "line 6 of the patch: the header says 3 old and 3 new lines, there are"
    assert.strictEqual(said("@@ -8,3 +8,3 @@", " c", "-d", "+e", ""), `${three} 2 and 2${remedy}`)
    assert.strictEqual(said("@@ -8,3 +8,3 @@", " c", "-d", "+e"), `${three} 2 and 2${remedy}`)
    assert.strictEqual(said("@@ -8,3 +8,3 @@", " c", "-d"), `${three} 2 and 1${remedy}`)
    assert.strictEqual(said("@@ -8,3 +8,3 @@ fn", ""), `${three} 0 and 0${remedy}`)
    assert.strictEqual(
      said("@@ -8 +8 @@", "-d"),
      `line 6 of the patch: the header says 1 old and 1 new lines, there are 1 and 0${remedy}`
    )
  })

  it("a hunk does not count the text after it", () => {
    const text = names + lines("@@ -8,5 +8,5 @@", " c", "-d", "+e", "", "-- ")
    assert.include(refused(text).detail, "there are 2 and 2;")
  })

  it("the last hunk may have more lines than its header states", () => {
    const text = names + lines("@@ -8,1 +8,1 @@", " c", "-d", "+e")
    assert.strictEqual(parsed(text).files.length, 1)
  })
})

describe("a V4A patch with something around it", () => {
  const patch = v4a("*** Update File: f", "-a", "+b")
  const f = [["f", "f"]]
  const quoting = (text: string) => text.split("\n").map((line) => `+${line}\n`).join("")

  it("a V4A patch is read inside a shell command, in prose and in a fence", () => {
    for (
      const text of [
        `apply_patch <<'EOF'\n${patch}EOF\n`,
        `bash -lc "apply_patch <<'EOF'\r\n${patch.replaceAll("\n", "\r\n")}EOF"`,
        `Here is the patch in the *** Begin Patch form:\n\n${patch}\nIt was tested.\n`,
        `--- \nDone:\n\n~~~\n\`\`\`diff\n${patch}\`\`\`\n---\n`,
        `  \n  \`\`\`\n ${patch}`
      ]
    ) assert.deepStrictEqual(paths(text), f, text)
  })

  it("a V4A patch counts the lines before it and is refused when it is cut", () => {
    const words = lines("Here it is:", "")
    assert.include(refused(words + v4a("*** Rename File: f")).detail, "line 4 of the patch: expected ***")
    assert.include(refused(words + lines("*** Begin Patch", "*** Delete File: f")).detail, "was it cut?")
    assert.include(refused("Write *** Begin Patch\n").detail, "there is no patch in it")
  })

  it("a patch is refused if a file of it has headers and no change", () => {
    const header = "diff --git a/f b/f"
    for (
      const rest of [
        [],
        ["index 1234567..89abcde 100644"],
        ["index 1234567..89abcde 100644", "--- a/f", "+++ b/f"],
        ["new mode 100644", "old mode 100644"]
      ]
    ) {
      assert.include(refused(lines(header, ...rest)).detail, "line 1 of the patch: only headers follow", rest.join())
      const behind = git("a/g", "b/g") + lines(header, ...rest)
      assert.include(refused(behind).detail, "only headers follow, and no change", rest.join())
    }
    assert.deepStrictEqual(paths(lines(header, "old mode 100644", "new mode 100755")), f)
    assert.deepStrictEqual(paths(lines(header, "new file mode 100644")), [[undefined, "f"]])
  })

  it("a V4A patch is ignored if a unified patch comes first", () => {
    const mail = lines("From 0123456789abcdef0123456789abcdef01234567 Mon Sep 17 00:00:00 2001", "Subject: x", "")
    for (
      const text of [
        mail + v4a("*** Delete File: g") + git("a/f", "b/f"),
        lines("Index: f", "===") + v4a("*** Delete File: g") + unified("f", "f"),
        unified("a/f", "b/f") + v4a("*** Delete File: g"),
        git("a/f", "b/f") + v4a("*** Delete File: g")
      ]
    ) assert.deepStrictEqual(paths(text), f, text)
    const inside = lines("--- /dev/null", "+++ b/f", "@@ -0,0 +1,5 @@") + quoting(patch.trimEnd())
    assert.deepStrictEqual(paths(inside), [[undefined, "f"]])
    assert.deepStrictEqual(paths(v4a("*** Add File: f").replace("f\n", `f\n${quoting(inside)}`)), [[undefined, "f"]])
  })

  it("a V4A patch is refused if another patch follows or precedes it", () => {
    const second = "a second patch begins here; give one at a time"
    const words = "Then:\n"
    for (const other of [patch, unified("a/g", "b/g"), git("a/g", "b/g")]) {
      assert.strictEqual(refused(patch + words + other).detail, `line 7 of the patch: ${second}`)
      assert.strictEqual(refused(words + patch + other).detail, `line 7 of the patch: ${second}`)
    }
    const more = lines("*** Update File: g", "-a", "+b", "*** End Patch")
    assert.strictEqual(
      refused(patch + more).detail,
      "line 6 of the patch: it goes on after *** End Patch; that line comes once, as the last"
    )
  })
})
