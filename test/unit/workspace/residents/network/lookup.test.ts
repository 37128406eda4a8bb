import { assert, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Result } from "effect"
import { FirstIds } from "../../../../../src/lib/network/datagrams.ts"
import { readPolicy } from "../../../../../src/lib/network/model/policy.ts"
import { lookUp } from "../../../../../src/workspace/residents/network/serve.ts"

const rules = Result.getOrThrow(readPolicy({ networkPolicy: "egress", allowHosts: [], denyHosts: [], allowIps: [] }))

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
      {
        dialler: {
          dial: () => Effect.die("unused"),
          openDatagrams: () => Effect.die(new Error("no datagram is sent")),
          makeAuthority: () => Effect.die("unused"),
          dialNow: () => undefined,
          resolve: () =>
            Effect.andThen(Deferred.succeed(asked, undefined), Effect.never).pipe(
              Effect.onInterrupt(() => Effect.sync(() => isCancelled = true))
            )
        },
        group: "a",
        rules: () => rules,
        open: new Set(),
        record: () => Effect.void,
        interceptionOf: () => Effect.succeed(undefined),
        pace: { isNow: () => true, wait: Effect.void, isDatagramNow: () => true, isHandshakeNow: () => true },
        firstIds: new FirstIds(),
        placeholders: () => [],
        caching: { of: () => undefined, settings: () => undefined }
      },
      () => false
    ))
    yield* Deferred.await(asked)
    yield* Deferred.succeed(withdrawn, undefined)
    yield* Fiber.join(fiber)
    assert.isTrue(isCancelled)
  }))
