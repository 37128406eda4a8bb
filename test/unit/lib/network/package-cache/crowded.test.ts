import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { until } from "../../../../support/until.ts"
import { get, makePackageCache, sending } from "./package-cache.ts"

const TARBALL = "/left-pad/-/left-pad-1.0.0.tgz"

describe("a guest that keeps its connections to a registry busy", () => {
  it.live("a request of one guest that gets no answer does not hold up the same request of another", () =>
    Effect.gen(function*() {
      const busy = yield* makePackageCache({ handler: () => {} })
      const other = yield* makePackageCache({
        handler: sending("whole"),
        directory: busy.directory,
        group: "other"
      })
      yield* Effect.forkChild(get(busy, TARBALL))
      yield* until(() => busy.asked.length === 1)
      assert.strictEqual((yield* get(other, TARBALL)).body.toString(), "whole")
    }))

  it.live("requests without an answer are bounded, and more are refused", () =>
    Effect.gen(function*() {
      const cache = yield* makePackageCache({ handler: () => {} })
      const refused: Array<number> = []
      const requests = yield* Effect.forEach(
        Array.from({ length: 532 }, (_, at) => `/p${at}/-/p${at}-1.0.0.tgz`),
        (path) => Effect.forkChild(Effect.map(get(cache, path), ({ status }) => refused.push(status)))
      )
      yield* until(() => refused.length >= 20)
      assert.deepStrictEqual(new Set(refused), new Set([502]))
      yield* Fiber.interruptAll(requests)
    }), 30_000)
})
