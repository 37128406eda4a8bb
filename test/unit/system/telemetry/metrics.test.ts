import { Effect } from "effect"
import { assert, describe, it } from "vitest"
import {
  countBytes,
  countPoolRequest,
  liveVm,
  readMetrics,
  recordOperation,
  setPoolMembers
} from "../../../../src/system/telemetry/metrics.ts"

const read = () => Effect.runSync(readMetrics)

describe("the metrics", () => {
  it("metrics have count, mean, 95th percentile and maximum of an operation's durations by outcome", () => {
    for (let i = 0; i < 19; i++) recordOperation("test.durations", "ok", 3)
    recordOperation("test.durations", "ok", 1000)
    recordOperation("test.durations", "no_space", 5)
    const found = read().operations.filter(({ operation }) => operation === "test.durations")
    assert.deepStrictEqual(found, [
      { operation: "test.durations", outcome: "ok", count: 20, meanMs: (19 * 3 + 1000) / 20, p95Ms: 4, maxMs: 1000 },
      { operation: "test.durations", outcome: "no_space", count: 1, meanMs: 5, p95Ms: 5, maxMs: 5 }
    ])
  })

  it("metrics count refusals by code over all operations, without interruptions and defects", () => {
    recordOperation("test.one", "name_taken", 1)
    recordOperation("test.two", "name_taken", 1)
    recordOperation("test.two", "interrupted", 1)
    recordOperation("test.two", "defect", 1)
    const { refusals } = read()
    assert.deepInclude(refusals, { code: "name_taken", count: 2 })
    assert.notIncludeMembers(refusals.map(({ code }) => code), ["interrupted", "defect", "ok"])
  })

  it("metrics count bytes by direction and pool requests by result", () => {
    const before = read()
    countBytes("seed", 10)
    countBytes("output", 7)
    countPoolRequest("hit")
    countPoolRequest("miss")
    countPoolRequest("miss")
    setPoolMembers(2)
    const { bytes, pool } = read()
    assert.strictEqual(bytes.seed - before.bytes.seed, 10)
    assert.strictEqual(bytes.output - before.bytes.output, 7)
    assert.strictEqual(bytes.push, before.bytes.push)
    assert.deepStrictEqual(pool, { hits: before.pool.hits + 1, misses: before.pool.misses + 2, members: 2 })
  })

  it("metrics count a microVM as live until its Scope closes", () =>
    Effect.gen(function*() {
      const live = Effect.map(readMetrics, ({ liveVms }) => liveVms)
      const before = yield* live
      yield* Effect.scoped(Effect.gen(function*() {
        yield* liveVm
        yield* liveVm
        assert.strictEqual(yield* live, before + 2)
      }))
      assert.strictEqual(yield* live, before)
    }).pipe(Effect.runPromise))
})
