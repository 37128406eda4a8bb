import { assert, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { lookUp } from "../../../../../src/workspace/residents/network/serve.ts"
import { connectingOf, egressRules } from "../../../../support/network/connecting.ts"

const rules = egressRules({})

it.effect("a withdrawn look-up waits for no resolver", () =>
  Effect.gen(function*() {
    const withdrawn = yield* Deferred.make<void>()
    const asked = yield* Deferred.make<void>()
    let isCancelled = false
    const fiber = yield* Effect.forkChild(lookUp(
      {
        _tag: "Resolve",
        name: "example.com",
        type: 16,
        answer: () => Effect.die("a withdrawn look-up was answered"),
        withdrawn: Deferred.await(withdrawn)
      },
      connectingOf({
        dialler: {
          resolve: () =>
            Effect.andThen(Deferred.succeed(asked, undefined), Effect.never).pipe(
              Effect.onInterrupt(() => Effect.sync(() => isCancelled = true))
            )
        },
        rules: () => rules
      }).connecting,
      () => false
    ))
    yield* Deferred.await(asked)
    yield* Deferred.succeed(withdrawn, undefined)
    yield* Fiber.join(fiber)
    assert.isTrue(isCancelled)
  }))
