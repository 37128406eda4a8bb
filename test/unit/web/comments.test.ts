import { assert, describe, it } from "@effect/vitest"
import { parsed } from "../../../apps/web/src/comments/comment.ts"
import { commentsText, placed, placeOf } from "../../../apps/web/src/comments/placement.ts"
import { partsByPath } from "../../../apps/web/src/review/patch.ts"

const hunk = (at: number, lines: ReadonlyArray<string>) => {
  const count = (sign: string) => lines.filter(([first]) => first === " " || first === sign).length
  return `@@ -${at},${count("-")} +${at},${count("+")} @@\n${lines.join("\n")}\n`
}
const patch = (...hunks: ReadonlyArray<string>) =>
  `diff --git a/one b/one\n--- a/one\n+++ b/one\n${hunks.join("")}diff --git a/two b/two\n--- /dev/null\n+++ b/two\n${
    hunk(1, ["+new"])
  }`
const files = [{ path: "one" }, { path: "two" }]
const first = [" a", "-b", "+c"]

/** Comments on the lines of file `one` that contain a text, as a person writes them. */
const writtenOn = async (parts: ReturnType<typeof partsByPath>, ...texts: ReadonlyArray<string>) => {
  const found = []
  for (const whole of parts.get("one")!.hunks) {
    for (const line of whole.lines) {
      if (texts.includes(line.text)) {
        found.push({ id: `${found.length}`, file: "one", text: `about ${line.text}`, on: await placeOf(whole, line) })
      }
    }
  }
  return found
}

describe("comments on a diff", () => {
  it("a comment moves with its hunk, and is outdated once the hunk has changed", async () => {
    const comments = await writtenOn(partsByPath(patch(hunk(1, first), hunk(20, [" x", "+y"])), false), "c", "y")
    const later = partsByPath(patch(hunk(11, first), hunk(30, [" x", "+y", "+z"])), false)
    const { byPath, gone } = await placed(comments, files, later)
    assert.deepStrictEqual(gone, [])
    const { onLines, outdated } = byPath.get("one")!
    assert.deepStrictEqual([...onLines].map(([{ new: now, text }, [one]]) => [text, now, one!.text]), [[
      "c",
      12,
      "about c"
    ]])
    assert.deepStrictEqual(outdated.map(({ text }) => text), ["about y"])
  })

  it("of two hunks with the same lines, each keeps its own comments", async () => {
    const same = partsByPath(patch(hunk(1, first), hunk(50, first)), false)
    const comments = await writtenOn(same, "b")
    assert.strictEqual(comments.length, 2)
    const moved = partsByPath(patch(hunk(4, first), hunk(53, first)), false)
    const { byPath } = await placed(comments, files, moved)
    assert.deepStrictEqual(
      [...byPath.get("one")!.onLines].map(([{ old }, on]) => [old, on.map(({ id }) => id)]),
      [[5, ["0"]], [54, ["1"]]]
    )
  })

  it("the text for an agent has file, line and quote in the order of the diff", async () => {
    const parts = partsByPath(patch(hunk(1, first)), false)
    const [removed, added] = await writtenOn(parts, "b", "c")
    const comments = [
      { id: "f", file: "gone\u202e", text: "where is it?" },
      { id: "t", file: "two", text: "all of it" },
      removed!,
      added!,
      { ...added!, id: "s", text: "old", on: { ...added!.on, hunk: "0" } }
    ]
    const placement = await placed(comments, files, parts)
    assert.strictEqual(
      commentsText(placement, files, parts),
      "one:2 (removed line)\n> b\nabout b\n\none:2\n> c\nabout c\n\none:2 (outdated)\n> c\nold\n\ntwo\nall of it\n\n" +
        "gone\\u202e (outdated)\nwhere is it?\n"
    )
  })

  it("a damaged or oversized text of the storage has no comments", () => {
    const comment = { id: "1", file: "one", text: "kept" }
    assert.deepStrictEqual(parsed(JSON.stringify([comment])), [comment])
    for (
      const text of [
        null,
        "",
        "{}",
        "[{}]",
        JSON.stringify([{ ...comment, text: "x".repeat(4_001) }]),
        JSON.stringify(Array.from({ length: 201 }, () => comment)),
        JSON.stringify([{ ...comment, on: { hunk: "0", at: -1, sign: "+", line: 1, quote: "" } }])
      ]
    ) assert.deepStrictEqual(parsed(text), [], String(text).slice(0, 40))
  })
})
