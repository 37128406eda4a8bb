import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { clusterRuns } from "../../../../src/lib/disk/standalone-qcow2.ts"
import {
  type FreeSpace,
  FreeSpaceReader,
  readFreeSpace,
  withoutFree,
  WrongFreeSpace
} from "../../../../src/workspace/disk/free-space.ts"
import { withinDeadline } from "../../../../src/workspace/disk/look.ts"

const GIB = 1024 ** 3

/** Ranges as the agent sends them. */
const packed = (...ranges: ReadonlyArray<readonly [start: number, length: number]>) => {
  const bytes = Buffer.alloc(16 * ranges.length)
  ranges.forEach(([start, length], index) => {
    bytes.writeBigUInt64BE(BigInt(start), 16 * index)
    bytes.writeBigUInt64BE(BigInt(length), 16 * index + 8)
  })
  return bytes
}

describe("unused bytes of a disk", () => {
  it("windows follow each other up to the disk's end, and ranges that touch are one", () => {
    const reader = new FreeSpaceReader(2 * GIB + 4096)
    assert.deepStrictEqual(reader.next, { start: 0, length: GIB })
    reader.add({ end: GIB, ranges: packed([4096, 8192], [GIB - 4096, 4096]) })
    reader.add({ end: GIB + 2_048_000, ranges: packed([GIB, 4096]) })
    assert.deepStrictEqual(reader.next, { start: GIB + 2_048_000, length: GIB - 2_043_904 })
    reader.add({ end: 2 * GIB + 4096, ranges: packed() })
    assert.isUndefined(reader.next)
    assert.deepStrictEqual(reader.found, [4096, 12_288, GIB - 4096, GIB + 4096])
  })

  const wrong: Readonly<Record<string, { readonly end: number; readonly ranges: Uint8Array }>> = {
    "ends behind the asked bytes": { end: GIB + 1, ranges: packed() },
    "makes no progress": { end: 0, ranges: packed() },
    "makes little progress": { end: 4096, ranges: packed([0, 4096]) },
    "has a range behind its end": { end: GIB, ranges: packed([GIB - 1, 2]) },
    "has a range of 2^63 bytes": { end: GIB, ranges: Buffer.from("00000000000000008000000000000000", "hex") },
    "has an empty range": { end: GIB, ranges: packed([5, 0]) },
    "has ranges that overlap": { end: GIB, ranges: packed([0, 10], [9, 10]) },
    "has ranges out of order": { end: GIB, ranges: packed([100, 10], [0, 10]) },
    "has a cut range": { end: GIB, ranges: packed([0, 10]).subarray(1) }
  }
  it.each(Object.entries(wrong))("an answer that %s is refused", (_, answer) => {
    assert.throws(() => new FreeSpaceReader(GIB * 2).add(answer), WrongFreeSpace)
  })

  it("a range before the asked bytes is refused", () => {
    const reader = new FreeSpaceReader(2 * GIB)
    reader.add({ end: GIB, ranges: packed() })
    assert.throws(() => reader.add({ end: 2 * GIB, ranges: packed([GIB - 1, 2]) }), WrongFreeSpace)
  })

  it("an agent that invents endless ranges is refused after a bounded number", () => {
    const reader = new FreeSpaceReader(2 ** 50)
    const refused = () => {
      for (let at = 0; at < 2 ** 50; at += GIB) {
        reader.add({
          end: at + GIB,
          ranges: packed(...Array.from({ length: 2000 }, (_, n) => [at + 2 * n, 1] as const))
        })
      }
    }
    assert.throws(refused, "too fragmented")
  })

  const extents = [
    { start: 0, length: 100, depth: 0, offset: 1_000 },
    { start: 100, length: 50, depth: 1, offset: 0 },
    { start: 300, length: 100, depth: 0, offset: 2_000 }
  ]
  const cases: Readonly<
    Record<string, readonly [FreeSpace, ReadonlyArray<readonly [number, number, number, number]>]>
  > = {
    nothing: [[], [[0, 100, 0, 1_000], [100, 50, 1, 0], [300, 100, 0, 2_000]]],
    everything: [[0, 1_000], []],
    "the middle of an extent": [[10, 20], [[0, 10, 0, 1_000], [20, 80, 0, 1_020], [100, 50, 1, 0], [
      300,
      100,
      0,
      2_000
    ]]],
    "the border of two extents": [[90, 110], [[0, 90, 0, 1_000], [110, 40, 1, 10], [300, 100, 0, 2_000]]],
    "holes and several parts of one extent": [
      [150, 301, 310, 320, 399, 500],
      [[0, 100, 0, 1_000], [100, 50, 1, 0], [301, 9, 0, 2_001], [320, 79, 0, 2_020]]
    ]
  }
  it.each(Object.entries(cases))("an image leaves out %s", (_, [free, left]) => {
    assert.deepStrictEqual(
      [...withoutFree(extents, free)].map(({ depth, length, offset, start }) => [start, length, depth, offset]),
      left.map((one) => [...one])
    )
  })

  it("clusters whose every byte is unused are no clusters of the image", () => {
    const disk = [{ start: 0, length: 4 * 65_536, depth: 0, offset: 0 }]
    assert.deepStrictEqual(clusterRuns(withoutFree(disk, [65_536, 3 * 65_536 - 1])), [
      { first: 0, count: 1 },
      { first: 2, count: 2 }
    ])
  })

  const asked = (answer: Effect.Effect<{ readonly end: number; readonly ranges: Uint8Array }>) =>
    readFreeSpace({ call: { freeSpace: () => answer } } as never, "/disk", 2 * GIB).pipe(withinDeadline)

  it.effect("an agent that lies about unused bytes damages no more than the export", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(asked(Effect.succeed({ end: GIB, ranges: packed([0, 10], [5, 10]) })))
      assert.strictEqual(failure._tag, "DiskDamaged")
      assert.include(failure.message, "out of order")
    }))

  it.effect("an agent that never answers ends the export at the deadline", () =>
    Effect.gen(function*() {
      const asking = yield* Effect.forkChild(Effect.flip(asked(Effect.never)))
      yield* TestClock.adjust("10 minutes")
      const failure = yield* Fiber.join(asking)
      assert.strictEqual(failure._tag, "VmFailed")
      assert.include(failure.message, "did not finish within 10 minutes")
    }))
})
