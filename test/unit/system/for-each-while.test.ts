import { Chunk, Effect, Option, Stream } from "effect"
import * as v8 from "node:v8"
import * as vm from "node:vm"
import { assert, describe, it } from "vitest"
import { forEachWhile } from "../../../src/system/for-each-while.ts"

const MB = 1_000_000
v8.setFlagsFromString("--expose-gc")
const collect = vm.runInNewContext("gc") as () => void

/** So many buffers of 1 MB, made as they are asked for. */
const buffers = (count: number) => {
  let made = 0
  return Stream.repeatEffectChunkOption(
    Effect.suspend(() =>
      made++ === count ? Effect.fail(Option.none()) : Effect.succeed(Chunk.of(Buffer.alloc(MB, made)))
    )
  )
}

describe("elements of a stream while they are wanted", () => {
  it("are not held once they were dealt with", async () => {
    let [seen, held] = [0, 0]
    await Effect.runPromise(forEachWhile(buffers(300), () =>
      Effect.sync(() => {
        if (++seen !== 300) return true
        collect()
        held = process.memoryUsage().arrayBuffers
        return true
      })))
    assert.strictEqual(seen, 300)
    assert.isBelow(held, 30 * MB)
  })

  it("end with the one after which no more is wanted", async () => {
    const seen: Array<number> = []
    await Effect.runPromise(forEachWhile(Stream.make(1, 2, 3, 4), (one) => Effect.sync(() => seen.push(one) < 3)))
    assert.deepStrictEqual(seen, [1, 2, 3])
  })
})
