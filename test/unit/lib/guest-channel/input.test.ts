import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { Input } from "../../../../src/lib/guest-channel/streams/input.ts"

describe("the input of a stream", () => {
  it.effect("a larger credit that the guest tells later is used at once, and a smaller one changes nothing", () =>
    Effect.gen(function*() {
      const input = new Input(1, () => {}, { sent: 0, limit: 10, credit: 10 })
      const writing = yield* Effect.forkChild(input.write(Buffer.alloc(100)))
      yield* Effect.yieldNow
      assert.strictEqual(input.sent, 10)
      input.grant(5)
      assert.strictEqual(input.sent, 10)
      input.grant(40)
      assert.strictEqual(input.sent, 40)
      input.acknowledged(30)
      assert.strictEqual(input.sent, 70)
      input.acknowledged(70)
      yield* Fiber.join(writing)
    }))

  it.effect("bytes that must go at once are sent whole or not at all, and overtake no earlier write", () =>
    Effect.gen(function*() {
      const input = new Input(1, () => {}, { sent: 0, limit: 10, credit: 10 })
      assert.isTrue(input.tryWrite(Buffer.alloc(6)))
      assert.isFalse(input.tryWrite(Buffer.alloc(6)))
      assert.strictEqual(input.sent, 6)
      const writing = yield* Effect.forkChild(input.write(Buffer.alloc(6)))
      yield* Effect.yieldNow
      assert.isFalse(input.tryWrite(Buffer.alloc(0)))
      input.acknowledged(6)
      yield* Fiber.join(writing)
      assert.strictEqual(input.sent, 12)
      input.close(Effect.void)
      assert.isFalse(input.tryWrite(Buffer.alloc(1)))
    }))
})
