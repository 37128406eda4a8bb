import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { get, makePackageCache, sending } from "../../../support/network/package-cache.ts"

const TARBALL = "/left-pad/-/left-pad-1.0.0.tgz"

describe("a guest that keeps its connections to a registry busy", () => {
  it.scopedLive("a request of one guest that gets no answer does not hold up the same request of another", () =>
    Effect.gen(function*() {
      const busy = yield* makePackageCache({ handler: () => {} })
      const other = yield* makePackageCache({
        handler: sending("whole"),
        directory: busy.directory,
        group: "other"
      })
      yield* Effect.fork(get(busy, TARBALL))
      yield* Effect.repeat(Effect.sleep(5), { until: () => busy.asked.length === 1 })
      assert.strictEqual((yield* get(other, TARBALL)).body.toString(), "whole")
    }))
})
