import { assert, describe, it } from "@effect/vitest"
import { LONGEST_CHAIN, runToMerge } from "../../../../src/workspace/life/snapshot/flatten.ts"

const mib = 1024 * 1024

describe("the layers of a chain that are merged", () => {
  it("no layer of a short chain is merged", () => {
    assert.isUndefined(runToMerge(Array.from({ length: LONGEST_CHAIN - 1 }, () => mib)))
  })

  it("all layers are merged if the oldest is no larger than the others together", () => {
    assert.deepStrictEqual(runToMerge([3, 1, 1, 1, 1, 1, 1, 1], 8), { from: 0 })
  })

  it("a merge leaves out an oldest layer that is larger than all others", () => {
    assert.deepStrictEqual(runToMerge([1000, 1, 1, 1, 1, 1, 1, 1], 8), { from: 1 })
    assert.deepStrictEqual(runToMerge([1000, 100, 1, 1, 1, 1, 1, 1], 8), { from: 2 })
  })

  it("a merge covers at least half of the longest chain, for layers of any size", () => {
    assert.deepStrictEqual(runToMerge([2 ** 30, 2 ** 20, 2 ** 10, 512, 256, 64, 8, 1], 8), { from: 4 })
  })

  it("merges keep a chain short and copy each byte a few times only, for any number of layers", () => {
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
