import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Stream } from "effect"
import { INPUT_BYTES, INPUT_REQUESTS } from "../../../src/contract/wire/rpcs.ts"
import { makeInputBuffer } from "../../../src/sdk/connection/input-buffer.ts"

/** A daemon that answers when it is told to. */
const makeSink = Effect.gen(function*() {
  const mayAnswer = yield* Deferred.make<void>()
  const ended = yield* Deferred.make<void>()
  const requests: Array<{ readonly at: number; readonly bytes: Uint8Array }> = []
  const sink = {
    write: (at: number, bytes: Uint8Array) =>
      Effect.suspend(() => {
        // The memory is used again after the answer.
        requests.push({ at, bytes: Buffer.from(bytes) })
        return Deferred.await(mayAnswer)
      }),
    end: Deferred.succeed(ended, undefined),
    interrupt: Effect.void,
    resize: () => Effect.void
  }
  return { ended, mayAnswer, requests, sink }
})

const settle = Effect.forEach(Array.from({ length: 50 }), () => Effect.yieldNow)

describe("input on its way to the daemon", () => {
  it.effect("a few requests are on their way at once, and the rest waits in few pieces", () =>
    Effect.gen(function*() {
      const content = Buffer.alloc(3_000_000, "0123456789abcdefg")
      let read = 0
      const pieces = Array.from({ length: 1_000 }, (_, i) => content.subarray(3_000 * i, 3_000 * (i + 1)))
      const stdin = Stream.tap(Stream.fromIterable(pieces), ({ length }) => Effect.sync(() => (read += length)))
      const { ended, mayAnswer, requests, sink } = yield* makeSink
      const { play } = yield* makeInputBuffer({ stdin })
      yield* play(sink, 0)
      yield* settle
      assert.strictEqual(requests.length, INPUT_REQUESTS)
      assert.isAtMost(read, (INPUT_REQUESTS + 2) * INPUT_BYTES)
      yield* Deferred.succeed(mayAnswer, undefined)
      yield* Deferred.await(ended)
      assert.isTrue(requests.every(({ bytes }) => bytes.length <= INPUT_BYTES))
      assert.isBelow(requests.length, 50)
      assert.isTrue(requests.every(({ at, bytes }) => content.subarray(at, at + bytes.length).equals(bytes)))
      assert.strictEqual(requests.reduce((sum, { bytes }) => sum + bytes.length, 0), content.length)
    }))

  it.effect("input that dies ends the call, and is no end of the input", () =>
    Effect.gen(function*() {
      const { ended, mayAnswer, sink } = yield* makeSink
      yield* Deferred.succeed(mayAnswer, undefined)
      const stdin = Stream.concat(Stream.make(Buffer.from("begin")), Stream.die(new Error("a broken source")))
      const { guard, play } = yield* makeInputBuffer({ stdin })
      yield* play(sink, 0)
      const exit = yield* Effect.exit(guard(Effect.never))
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
      yield* settle
      assert.isFalse(yield* Deferred.isDone(ended))
    }))
})
