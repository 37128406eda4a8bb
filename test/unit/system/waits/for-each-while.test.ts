import { Cause, Effect, Stream } from "effect"
import * as v8 from "node:v8"
import * as vm from "node:vm"
import { assert, describe, it } from "vitest"
import { forEachWhile } from "../../../../src/system/waits/for-each-while.ts"

v8.setFlagsFromString("--expose-gc")
const collect = vm.runInNewContext("gc") as () => void

/** So many objects, made as they are asked for; `onMade` sees each. */
const objects = (count: number, onMade: (object: object) => void) => {
  let made = 0
  return Stream.fromEffectRepeat(
    Effect.suspend(() => {
      if (made++ === count) return Cause.done()
      const object = { number: made }
      onMade(object)
      return Effect.succeed(object)
    })
  )
}

/** A turn of the event loop, after which no WeakRef holds its object on its own account. */
const turn = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

describe("elements of a stream while they are wanted", () => {
  it("a processed stream element is not held in memory", async () => {
    // Asked of the objects themselves: what the process says it holds goes down later, when a thread has swept.
    const refs: Array<WeakRef<object>> = []
    let [seen, held] = [0, 0]
    await Effect.runPromise(
      forEachWhile(objects(300, (object) => refs.push(new WeakRef(object))), () =>
        Effect.gen(function*() {
          if (++seen < 300) return true
          yield* turn
          collect()
          held = refs.filter((ref) => ref.deref() !== undefined).length
          return true
        }))
    )
    assert.strictEqual(seen, 300)
    assert.isAtMost(held, 10)
  })

  it("a stream ends with the element that asks for no more", async () => {
    const seen: Array<number> = []
    await Effect.runPromise(forEachWhile(Stream.make(1, 2, 3, 4), (one) => Effect.sync(() => seen.push(one) < 3)))
    assert.deepStrictEqual(seen, [1, 2, 3])
  })
})
