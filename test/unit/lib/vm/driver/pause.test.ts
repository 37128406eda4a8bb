import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import type { GuestChannel } from "../../../../../src/lib/guest-channel/GuestChannel.ts"
import { inOnePause } from "../../../../../src/lib/vm/driver/pause.ts"

/** A channel of a guest that answers nothing but `silently`. */
const channel = {
  silently: <A, E, R>(_: unknown, use: (receivedBytes: () => number) => Effect.Effect<A, E, R>) => use(() => 0),
  request: () => Effect.void
} as unknown as GuestChannel

const guest = () => {
  let isRunning = true
  const vm = {
    pause: Effect.sync(() => void (isRunning = false)),
    resume: Effect.sync(() => void (isRunning = true))
  }
  return { vm, isRunning: () => isRunning }
}

describe("one pause of a VM", () => {
  it.live("a guest that is to stand still stays so, until it is let go on", () =>
    Effect.gen(function*() {
      const { isRunning, vm } = guest()
      const { goOn } = yield* Effect.scoped(
        inOnePause({ channel, vm }, (atRest) => atRest(() => Effect.void), { stays: true })
      )
      assert.isFalse(isRunning())
      yield* goOn
      assert.isTrue(isRunning())
    }))

  it.live("a guest that is to stand still goes on if no caller learns of the success", () =>
    Effect.gen(function*() {
      const { isRunning, vm } = guest()
      const done = yield* Deferred.make<void>()
      const fiber = yield* Effect.forkChild(Effect.scoped(
        inOnePause(
          { channel, vm },
          (atRest) =>
            Effect.andThen(atRest(() => Effect.void), Effect.andThen(Deferred.succeed(done, undefined), Effect.never)),
          { stays: true }
        )
      ))
      yield* Deferred.await(done)
      assert.isFalse(isRunning())
      yield* Fiber.interrupt(fiber)
      assert.isTrue(isRunning())
    }))
})
