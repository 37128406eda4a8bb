import { assert, describe, it } from "vitest"
import { toEvict } from "../../../../../src/workspace/life/points/ring.ts"

/** Points over one growing chain: point n has the layers 0 to n. Each layer has 100 bytes. */
const chain = (count: number) =>
  Array.from({ length: count }, (_, number) => ({
    id: `p${number}`,
    layers: Array.from({ length: number + 1 }, (_, layer) => ({ inode: `l${layer}`, bytes: 100 }))
  }))

const inodes = (count: number) => new Set(Array.from({ length: count }, (_, layer) => `l${layer}`))

describe("the ring of points", () => {
  it("the oldest points beyond the number go", () => {
    assert.deepStrictEqual(toEvict(chain(5), inodes(5), { budgetBytes: 10_000, most: 3 }), ["p0", "p1"])
    assert.deepStrictEqual(toEvict(chain(3), inodes(3), { budgetBytes: 10_000, most: 3 }), [])
  })

  it("the layers after the oldest point count, and those under it that the disk has do not", () => {
    assert.deepStrictEqual(toEvict(chain(3), inodes(3), { budgetBytes: 200 }), [])
    assert.deepStrictEqual(toEvict(chain(3), inodes(3), { budgetBytes: 199 }), ["p0"])
  })

  it("after a merge of the disk's layers, all layers of the points count", () => {
    const merged = new Set(["merged"])
    assert.deepStrictEqual(toEvict(chain(3), merged, { budgetBytes: 300 }), [])
    assert.deepStrictEqual(toEvict(chain(3), merged, { budgetBytes: 299 }), ["p0", "p1", "p2"])
  })

  it("the newest point stays while the disk has its layers", () => {
    assert.deepStrictEqual(toEvict(chain(3), inodes(3), { budgetBytes: 0 }), ["p0", "p1"])
    assert.deepStrictEqual(toEvict([], inodes(3), { budgetBytes: 0 }), [])
  })
})
