import { assert, it } from "vitest"
import { costOf } from "../../../src/mcp/bounded.ts"
import { costsOf } from "../../../src/mcp/output.ts"

it("no character costs more of a result than its bytes were counted for", () => {
  const points = Array.from({ length: 0x10_ffff + 1 }, (_, point) => point).filter((point) =>
    (point < 0xd800 || point > 0xdfff) && (point < 0x2_0000 || point >= 0xe_0000)
  )
  for (const point of points) {
    const character = String.fromCodePoint(point)
    const counted = costsOf(Buffer.from(character)).reduce((sum, cost) => sum + cost, 0)
    const cost = Math.max(costOf(character), costOf(`a${character}`) - 1)
    if (counted < cost) assert.fail(`U+${point.toString(16)} costs ${cost}, and its bytes ${counted}`)
  }
})

it("letters of other scripts count by their bytes", () => {
  for (const letter of ["é", "日", "😀", "–", "“"]) {
    assert.strictEqual(costsOf(Buffer.from(letter)).reduce((sum, cost) => sum + cost, 0), Buffer.byteLength(letter))
  }
})
