import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { boundedOutput, commandOutput } from "../../../src/contract/rows/bounded-output.ts"

const bytesOf = (text: string) => new TextEncoder().encode(text)

/** The same, written the obvious way: everything is kept and cut at the end. */
const model = (whole: string, limit: number) => {
  if (whole.length <= limit) return whole
  const head = Math.ceil(limit / 2)
  const tail = limit - head
  return `${whole.slice(0, head)}\n[... ${whole.length - limit} ${
    whole.length - limit === 1 ? "byte" : "bytes"
  } left out ...]\n${whole.slice(whole.length - tail)}`
}

describe("bounded output", () => {
  it("bounded output keeps head and tail for any limit and any pieces", () => {
    const pieces = fc.array(fc.string({ maxLength: 40 }).map((text) => text.replace(/[^ -~]/g, ".")), { maxLength: 40 })
    fc.assert(
      fc.property(pieces, fc.integer({ min: 0, max: 200 }), (texts, limit) => {
        const output = boundedOutput(limit)
        for (const text of texts) output.add(bytesOf(text))
        const whole = texts.join("")
        const kept = output.kept()
        assert.strictEqual(kept.text, model(whole, limit))
        assert.strictEqual(kept.bytes, whole.length)
        assert.strictEqual(kept.truncated, whole.length > limit)
      }),
      { numRuns: 500 }
    )
  })

  it("bounded output does not cut a character in two", () => {
    for (let limit = 0; limit < 40; limit++) {
      const output = boundedOutput(limit)
      output.add(bytesOf("aé€😀".repeat(10)))
      const { lossy, text } = output.kept()
      assert.isFalse(lossy, `limit ${limit}: ${text}`)
      assert.notInclude(text, "\ufffd")
    }
  })

  it("bounded output reports bytes that are not UTF-8", () => {
    const output = boundedOutput(100)
    output.add(new Uint8Array([0x61, 0xff, 0x62]))
    assert.deepStrictEqual(output.kept(), { text: "a\ufffdb", bytes: 3, truncated: false, lossy: true })
  })

  it("bounded output joins a character that arrives in two pieces", () => {
    const output = boundedOutput(100)
    output.add(new Uint8Array([0xe2, 0x82]))
    output.add(new Uint8Array([0xac]))
    assert.deepStrictEqual(output.kept(), { text: "€", bytes: 3, truncated: false, lossy: false })
  })

  it("bounded output copies the caller's buffer", () => {
    const output = boundedOutput(100)
    const buffer = bytesOf("first ")
    output.add(buffer)
    buffer.fill(0x78)
    assert.strictEqual(output.kept().text, "first ")
  })

  it("the output of a command in the order of arrival is cut as one text, and absent unless it is asked for", () => {
    const pieces = [["stdout", "one\n"], ["stderr", "two\n"], ["stdout", "three\n"]] as const
    const outputOf = (limit: number, order?: "arrival" | "stream") => {
      const output = commandOutput(limit, order)
      for (const [from, text] of pieces) output.add(from, bytesOf(text))
      return output.kept()
    }
    assert.deepInclude(outputOf(100, "arrival"), {
      stdout: "one\nthree\n",
      stderr: "two\n",
      output: "one\ntwo\nthree\n",
      truncated: false
    })
    assert.deepInclude(outputOf(10, "arrival"), {
      stdout: "one\nthree\n",
      output: "one\nt\n[... 4 bytes left out ...]\nhree\n",
      truncated: true
    })
    for (const order of [undefined, "stream"] as const) assert.notProperty(outputOf(100, order), "output")
  })
})
