import { assert, describe, it } from "@effect/vitest"
import { LONGEST_CHAIN, runToMerge } from "../../../src/disk/layer-run.ts"

const mib = 1024 * 1024

describe("the layers of a chain that are merged", () => {
  it("are none while the chain is short", () => {
    assert.isUndefined(runToMerge(Array.from({ length: LONGEST_CHAIN - 1 }, () => mib)))
  })

  it("are all of them where the oldest is no larger than the others together", () => {
    assert.deepStrictEqual(runToMerge([3, 1, 1, 1, 1, 1, 1, 1], 8), { from: 0 })
  })

  it("leave out an oldest one that is larger than all others, so that it is not copied each time", () => {
    assert.deepStrictEqual(runToMerge([1000, 1, 1, 1, 1, 1, 1, 1], 8), { from: 1 })
    assert.deepStrictEqual(runToMerge([1000, 100, 1, 1, 1, 1, 1, 1], 8), { from: 2 })
  })

  it("are at least half of the longest chain, whatever their sizes are", () => {
    assert.deepStrictEqual(runToMerge([2 ** 30, 2 ** 20, 2 ** 10, 512, 256, 64, 8, 1], 8), { from: 4 })
  })

  it("leave a chain that stays short, and copy a byte a few times only, however many layers come", () => {
    let layers: Array<number> = []
    let copied = 0
    for (let number = 0; number < 2000; number += 1) {
      layers.push(mib)
      const run = runToMerge(layers)
      if (run === undefined) continue
      const bytes = layers.slice(run.from).reduce((sum, one) => sum + one, 0)
      copied += bytes
      layers = [...layers.slice(0, run.from), bytes]
      assert.isBelow(layers.length, LONGEST_CHAIN)
    }
    assert.isBelow(copied / (2000 * mib), 10)
  })
})
