import { Schema } from "effect"
import { assert, describe, it } from "vitest"
import { Labels } from "../../../src/contract/rows/workspace-field.ts"
import { labelOf } from "../../../src/sdk/label.ts"

const isLabel = (value: string) => Schema.is(Labels())({ key: value })
const pair = "0f8fad5b-d9cb-469f-a165-70867728950e"

describe("labels of a framework's names", () => {
  it.each(["", "https://example.com/a?b=c&d=%20e#f", `${pair}:${pair}`, "x".repeat(256), "~ home"])(
    "a printable name is its own label: %j",
    (name) => {
      assert.strictEqual(labelOf(name), name)
      assert.isTrue(isLabel(name))
    }
  )

  it.each(["x".repeat(257), "schön", "two\nlines", "\u{1F600}", "nul\0", "~sha256:ab"])(
    "any other name has a digest: %j",
    (name) => {
      assert.match(labelOf(name), /^~sha256:[0-9a-f]{64}$/)
      assert.isTrue(isLabel(labelOf(name)))
      assert.isTrue(isLabel(name) === name.startsWith("~"))
    }
  )

  it("a name that looks like a digest is another one", () => {
    const digest = labelOf("schön")
    assert.notStrictEqual(labelOf(digest), digest)
    assert.notStrictEqual(labelOf("schon"), labelOf("schön"))
  })
})
