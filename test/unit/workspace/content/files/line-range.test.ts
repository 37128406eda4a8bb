import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "fast-check"
import { LineRange, type LineRangeRequest } from "../../../../../src/workspace/content/files/line-range.ts"

const read = (content: Buffer, request: Partial<LineRangeRequest>, piece = content.length) => {
  const range = new LineRange({ startLine: 1, maxBytes: 1_000_000, ...request })
  for (let at = 0; at < content.length; at += piece) range.push(content.subarray(at, at + piece))
  const { bytes, ...found } = range.found(true)
  return { ...found, text: Buffer.from(bytes).toString("latin1") }
}

describe("a range of lines", () => {
  it("a range has exactly its lines, however the bytes are cut", () => {
    FastCheck.assert(FastCheck.property(
      FastCheck.array(FastCheck.constantFrom("", "a", "bc", "ä", "\r", "line"), { maxLength: 12 }),
      FastCheck.boolean(),
      FastCheck.integer({ min: 1, max: 14 }),
      FastCheck.option(FastCheck.integer({ min: 1, max: 14 }), { nil: undefined }),
      FastCheck.integer({ min: 1, max: 7 }),
      (words, open, startLine, lineCount, piece) => {
        const lines = words.map((word) => `${Buffer.from(word).toString("latin1")}\n`)
        if (open && lines.length > 0) lines.push("open")
        const content = Buffer.from(lines.join(""), "latin1")
        const wanted = lines.slice(startLine - 1, lineCount === undefined ? undefined : startLine - 1 + lineCount)
        const range = lineCount === undefined ? { startLine } : { startLine, lineCount }
        assert.deepStrictEqual(read(content, range, piece), {
          text: wanted.join(""),
          lineCount: wanted.length,
          truncated: false,
          cutLine: undefined,
          nextLine: undefined,
          totalLines: lines.length
        })
      }
    ))
  })

  it("a range ends with the last whole line that fits", () => {
    const content = Buffer.from("one\ntwo\nthree\nfour\n")
    for (const piece of [1, 3, 100]) {
      const found = read(content, { maxBytes: 12 }, piece)
      assert.deepStrictEqual(found, {
        text: "one\ntwo\n",
        lineCount: 2,
        truncated: true,
        cutLine: undefined,
        nextLine: 3,
        totalLines: 4
      })
    }
    assert.isFalse(read(content, { maxBytes: 8, lineCount: 2 }).truncated)
    assert.isFalse(read(content, { maxBytes: content.length }).truncated)
    assert.isTrue(read(content, { maxBytes: content.length - 1 }).truncated)
  })

  it("a range of one line beyond the limit is cut between characters", () => {
    const content = Buffer.from(`${"€".repeat(10)}\nnext\n`)
    for (const [maxBytes, kept] of [[9, 9], [10, 9], [11, 9], [12, 12]] as const) {
      const found = read(content, { maxBytes })
      assert.deepStrictEqual([found.text.length, found.lineCount, found.truncated], [kept, 1, true])
    }
  })

  it("a range that is cut within a line reports it, and a next line only if there is one", () => {
    const at = (content: string, request: Partial<LineRangeRequest>) => {
      const { cutLine, nextLine } = read(Buffer.from(content), { maxBytes: 4, ...request })
      return [cutLine, nextLine]
    }
    assert.deepStrictEqual(at("long line", {}), [1, undefined])
    assert.deepStrictEqual(at("long line\n", {}), [1, undefined])
    assert.deepStrictEqual(at("long line\n\n", {}), [1, 2])
    assert.deepStrictEqual(at("long line\nb", {}), [1, 2])
    assert.deepStrictEqual(at("long line\nb", { lineCount: 1 }), [1, undefined])
    assert.deepStrictEqual(at("a\nlong line\n", {}), [undefined, 2])
    assert.deepStrictEqual(at("a\nlong line\n", { startLine: 2 }), [2, undefined])
  })

  it("a range stops reading at a NUL near the beginning, and far after its last line", () => {
    const binary = new LineRange({ startLine: 1, maxBytes: 10 })
    assert.isTrue(binary.push(Buffer.alloc(7_998, "a")))
    assert.isFalse(binary.push(Buffer.from("a\0")))
    assert.isTrue(binary.binary)
    const late = new LineRange({ startLine: 1, maxBytes: 10 })
    assert.isTrue(late.push(Buffer.alloc(8_000, "a")))
    assert.isTrue(late.push(Buffer.from("\0")))
    assert.isFalse(late.binary)

    const huge = new LineRange({ startLine: 3, maxBytes: 10 })
    const million = Buffer.alloc(1_048_576, "a")
    for (let i = 0; i < 100; i++) assert.isTrue(huge.push(million), "the range has not begun yet")
    assert.isTrue(huge.push(Buffer.from("\n\nfound it, and more")))
    let pushed = 0
    while (huge.push(million)) pushed++
    assert.isTrue(pushed > 20 && pushed < 40, `${pushed}`)
    const { bytes, totalLines } = huge.found(false)
    assert.deepStrictEqual([Buffer.from(bytes).toString(), totalLines], ["found it, ", undefined])
  })
})
