import { assert, describe, it } from "vitest"
import { redactLines } from "../../../../src/lib/redaction/redact.ts"
import { secretSet } from "../../../../src/lib/redaction/secrets.ts"

const set = secretSet([
  { name: "TOKEN", value: "correct-horse-battery" },
  { name: "LONG", value: "horse-battery-staple" }
])

describe("lines of a screen without secrets", () => {
  it("a value within a line is replaced", () => {
    const lines = ["a correct-horse-battery b", "plain", "correct-horse-battery"]
    assert.deepStrictEqual(redactLines(set, lines), ["a [secret:TOKEN] b", "plain", "[secret:TOKEN]"])
  })

  it("a value that goes on in the next lines is replaced in all of them", () => {
    assert.deepStrictEqual(redactLines(set, ["x correct-", "horse-", "battery y", "z"]), [
      "x [secret:TOKEN]",
      "",
      " y",
      "z"
    ])
  })

  it("of values that overlap nothing stays", () => {
    const all = redactLines(set, ["correct-horse-bat", "tery-staple end"]).join("")
    assert.strictEqual(all, "[secret:TOKEN] end")
  })

  it("lines without a value are the same lines", () => {
    const lines = ["correct-horse", "漢字"]
    assert.strictEqual(redactLines(set, lines), lines)
    assert.strictEqual(redactLines(undefined, lines), lines)
  })
})
