import { fromDuplex } from "@effect/platform-node/NodeSocket"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { PassThrough } from "node:stream"
import { withoutLateWrites } from "../../../../src/system/processes/unix-socket.ts"

describe("a socket without late writes", () => {
  it.live("a write reaches the connection, and after its end it is dropped at once", () =>
    Effect.gen(function*() {
      const connection = new PassThrough()
      const socket = withoutLateWrites(yield* fromDuplex(Effect.succeed(connection)), () => connection.destroyed)
      const { write, writeAll } = yield* socket.writer
      const reading = yield* Scope.make()
      const { pull } = yield* Scope.provide(socket.reader, reading)
      yield* write("early")
      assert.strictEqual(Buffer.from((yield* pull)[0] as Uint8Array).toString(), "early")
      yield* Scope.close(reading, Exit.void)
      yield* Effect.uninterruptible(Effect.andThen(write("late"), writeAll(["later"])))
      assert.isNull(connection.read())
    }), 5_000)

  it.live(
    "a write to a connection that is destroyed is dropped, although its reader has not ended",
    () =>
      Effect.gen(function*() {
        const connection = new PassThrough()
        const socket = withoutLateWrites(yield* fromDuplex(Effect.succeed(connection)), () => connection.destroyed)
        const { write } = yield* socket.writer
        yield* socket.reader
        connection.destroy()
        yield* Effect.promise(() => new Promise((resolve) => connection.once("close", resolve)))
        yield* Effect.uninterruptible(write("late"))
      }),
    5_000
  )
})
