import { assert, describe, it } from "@effect/vitest"
import { partsOf } from "../../../apps/web/src/parts/blanks.ts"

/** Blank parts in brackets. */
const shown = (text: string) => partsOf(text).map(({ isBlank, text }) => isBlank ? `[${text}]` : text).join("")

describe("blanks in a name on the page", () => {
  it.each([
    ["a b", "a b"],
    ["a  b", "a[  ]b"],
    [" a b", "[ ]a b"],
    ["a b ", "a b[ ]"],
    ["   ", "[   ]"],
    ["a\tb", "a[\\t]b"],
    ["a\nb", "a[\\n]b"],
    ["a\\nb", "a\\nb"],
    ["a\u00a0b", "a[\\u00a0]b"],
    ["a \u3000 b", "a[ \\u3000 ]b"],
    ["a\u200bb", "a\\u200bb"],
    ["", ""]
  ])("%j is shown as %j", (text, expected) => {
    assert.strictEqual(shown(text), expected)
  })

  it("names that differ look different", () => {
    const names = ["a b", "a  b", "a   b", " a b", "a b ", "a\tb", "a\nb", "a\\nb", "a\u00a0b", "a\u2003b"]
    assert.strictEqual(new Set(names.map(shown)).size, names.length)
  })
})
