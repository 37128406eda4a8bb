import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { patchLimits } from "../../../../src/contract/rows/workspace-patch.ts"
import { boundedPatch } from "../../../../src/lib/exporting/patch.ts"
import { applyPatch } from "../../../../src/lib/patch/apply.ts"
import { differingPart } from "../../../../src/lib/patch/format/differing-part.ts"
import type { Change } from "../../../../src/lib/patch/model/patch.ts"
import { parsePatch } from "../../../../src/lib/patch/parse.ts"
import { wholePatch } from "../../../support/workspace/whole-patch.ts"
import { Random } from "./cases.ts"
import { formatPatch } from "./format-patch.ts"
import { diffOf, file, patchTree } from "./trees.ts"

const change = (path: string, before: Uint8Array | undefined, after: Uint8Array | undefined): Change => ({
  path: Buffer.from(path),
  before: before === undefined ? undefined : file(before),
  after: after === undefined ? undefined : file(after)
})

const text = (count: number, line: (index: number) => string) =>
  Buffer.from(Array.from({ length: count }, (_, index) => `${line(index)}\n`).join(""))

/** Bytes that nothing makes shorter. */
const noise = (size: number) => {
  const random = new Random(1)
  return Buffer.from(Array.from({ length: size }, () => random.below(256)))
}

/** The work with a clock on which a second passes between any two looks: each piece takes longer than a turn may. */
const onSlowClock = <A, E, R>(work: Effect.Effect<A, E, R>) =>
  Effect.clockWith((clock) => {
    let nowNs = 0n
    const slow = Object.create(clock, {
      monotonicTimeNanosUnsafe: { value: () => nowNs += 1_000_000_000n }
    }) as Clock.Clock
    return Effect.provideService(work, Clock.Clock, slow)
  })

const large = noise(patchLimits.bytes)

/** What `patch apply` makes of a patch, by path. */
const applied = (patch: Uint8Array, before: ReadonlyArray<Change>) => {
  const tree = new Map(
    before.flatMap(({ before, path }) =>
      before === undefined ? [] : [[Buffer.from(path).toString("latin1"), before] as const]
    )
  )
  return Effect.map(
    applyPatch(patchTree(tree), parsePatch(patch)),
    ({ changes }) => changes.map(({ after, path }) => [Buffer.from(path).toString(), after?.content])
  )
}

describe("a large patch", () => {
  it.effect("patch apply accepts an exported patch of two million changed lines", () =>
    Effect.gen(function*() {
      const after = text(2_100_000, () => "x")
      const changes = [change("many", text(3, String), after)]
      const patch = yield* boundedPatch(changes)
      assert.include(Buffer.from(patch).toString("latin1", 0, 300), "GIT binary patch")
      const [[path, content] = []] = yield* applied(patch, changes)
      assert.strictEqual(path, "many")
      assert.isTrue(Buffer.from(content as Uint8Array).equals(after))
    }))

  it("a file with 250,000 differing lines or 8 MiB of them crosses as text, and a larger one in git's binary form", () => {
    const isBinary = (before: Uint8Array | undefined, after: Uint8Array) =>
      Buffer.from(formatPatch([change("f", before, after)])).includes("GIT binary patch")
    assert.isFalse(isBinary(undefined, text(250_000, () => "")))
    assert.isTrue(isBinary(undefined, text(250_001, () => "")))
    const line = "x".repeat(1_023)
    const half = text(4_096, () => line)
    const other = text(4_096, () => "y".repeat(1_023))
    assert.isFalse(isBinary(half, other))
    assert.isTrue(isBinary(half, Buffer.concat([other, Buffer.from("\n")])))
  })

  it.effect("a patch that patch apply would refuse is not exported, and the error has the limits and figures", () =>
    Effect.gen(function*() {
      const lines = Array.from({ length: 9 }, (_, index) => change(`f${index}`, undefined, text(240_000, () => "")))
      const error = yield* Effect.flip(boundedPatch(lines))
      assert.include(error.message, "patch apply takes 8.0 MiB, 2000000 lines")
      assert.include(error.message, " 2160054 lines")
      assert.throws(() => parsePatch(formatPatch(lines)), `more than ${patchLimits.lines} lines`)
      const refusal = yield* Effect.flip(boundedPatch([
        change("small", undefined, Buffer.from("a\n")),
        change("large", undefined, large)
      ]))
      assert.include(refusal.message, "large files by themselves")
      assert.include(refusal.message, "large: 10.3 MiB")
      assert.throws(() => parsePatch(new Uint8Array(patchLimits.bytes + 1)), "larger than 8 MiB")
    }))

  it.live("the export of a large patch yields to sockets and timers", () =>
    Effect.gen(function*() {
      const one = text(100_000, (index) => `line ${index}`)
      const other = text(100_000, (index) => `line ${(index * 7919) % 100_000}`)
      let turns = 0
      let beside = setImmediate(function again() {
        turns++
        beside = setImmediate(again)
      })
      yield* onSlowClock(wholePatch([change("text", one, other)]))
      const forText = turns
      yield* onSlowClock(wholePatch([change("binary", undefined, large)]))
      clearImmediate(beside)
      assert.isAtLeast(forText, 4)
      assert.isAtLeast(turns - forText, 4)
    }))

  it.effect("a small change of a 20 MiB file gives a readable patch with line numbers", () =>
    Effect.gen(function*() {
      const before = text(500_000, (index) => `line ${index} ${"x".repeat(30)}`)
      const after = Buffer.from(before.toString().replace("line 250000 ", "LINE 250000 "))
      const changes = [change("f", before, after)]
      const patch = Buffer.from(yield* boundedPatch(changes)).toString()
      assert.include(patch, "@@ -249998,7 +249998,7 @@\n line 249997 ")
      assert.isBelow(patch.length, 1_000)
      const [[, content] = []] = yield* applied(Buffer.from(patch), changes)
      assert.isTrue(Buffer.from(content as Uint8Array).equals(after))
    }))

  it("a patch has the same hunks whether or not equal beginnings and ends are cut off first", () => {
    const random = new Random(5)
    for (let round = 0; round < 3_000; round++) {
      const make = () =>
        Array.from({ length: random.below(12) }, () => ["a", "b", "", "aa"][random.below(4)]).join("\n") +
        (random.below(3) === 0 ? "" : "\n")
      const common = [make(), make()]
      const [before, after] = [make(), make()].map((middle) =>
        random.below(4) === 0 ? middle : `${common[0]}${middle}${common[1]}`
      )
      if (before === after || before === undefined || after === undefined) continue
      const patch = Buffer.from(formatPatch([change("f", Buffer.from(before), Buffer.from(after))])).toString()
      const hunks = patch.includes("@@") ? patch.slice(patch.indexOf("@@")) : ""
      assert.strictEqual(hunks, diffOf(before, after).hunks, JSON.stringify([before, after]))
    }
  })

  it("the differing part of two files is found across block borders", () => {
    const size = 300_000
    for (const at of [0, 1, 65_535, 65_536, 65_537, 131_072, size - 2, size - 1]) {
      const old = Buffer.alloc(size, "0123456\n")
      const now = Buffer.from(old)
      now[at] = 0x2d
      const { newEnd, oldEnd, start } = differingPart(old, now, 0)
      assert.isTrue(start <= at && at < oldEnd && oldEnd === newEnd && oldEnd - start <= 16, String(at))
    }
  })
})
