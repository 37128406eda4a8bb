import { assert, describe, it } from "vitest"
import { screens } from "../../../src/cli/output/screens.ts"

describe("a long question", () => {
  it("is asked in parts that fit on a screen, and leaves out no line", () => {
    const lines = Array.from({ length: 50 }, (_, at) => `  ${"x".repeat(at * 20)}`)
    const parts = screens(lines)
    assert.deepStrictEqual(parts.flat(), lines)
    for (const part of parts) {
      const rows = part.reduce((sum, line) => sum + Math.ceil(line.length / 80), 0)
      assert.isTrue(rows <= 18 || part.length === 1)
    }
    assert.lengthOf(screens(lines.slice(0, 5)), 1)
  })

  it("counts the columns of wide characters", () => {
    assert.lengthOf(screens(Array.from({ length: 10 }, () => "漢".repeat(80))), 2)
  })
})
