import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "fast-check"
import { batchesOf } from "../../../../src/workspace/content/batches.ts"

describe("batches", () => {
  it("batches have all items in order, and no batch exceeds a limit that one item keeps", () => {
    FastCheck.assert(FastCheck.property(FastCheck.array(FastCheck.integer({ min: 0, max: 9 })), (sizes) => {
      const batches = batchesOf(sizes, (size) => size, { bytes: 7, items: 3, isAlone: (size) => size === 5 })
      assert.deepStrictEqual(batches.flat(), sizes)
      for (const batch of batches) {
        assert.isAtLeast(batch.length, 1)
        assert.isAtMost(batch.length, 3)
        if (batch.length > 1) assert.isAtMost(batch.reduce((sum, size) => sum + size, 0), 7)
        if (batch.includes(5)) assert.lengthOf(batch, 1)
      }
    }))
  })

  it("a batch takes an item as long as the item fits", () => {
    assert.deepStrictEqual(batchesOf([3, 4, 1, 9, 0, 2], (size) => size, { bytes: 7 }), [[3, 4], [1], [9], [0, 2]])
  })
})
