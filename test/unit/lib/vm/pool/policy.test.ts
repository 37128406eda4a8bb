import { assert, describe, it } from "@effect/vitest"
import { type Demand, nextStep, type PoolConfig, type PoolView } from "../../../../../src/lib/vm/pool/policy.ts"

const config: PoolConfig = { membersPerKind: 2, memoryMib: 2048, idleMs: 1000, quietMs: 10, aheadMs: 50, retryMs: 100 }

const demand = (askedAtMs: number, more: Partial<Demand> = {}): Demand => ({
  members: 2,
  memoryMib: 512,
  askedAtMs,
  notBeforeMs: 0,
  ...more
})

const view = (demands: Readonly<Record<string, Demand>>, members: ReadonlyArray<string> = []): PoolView => ({
  demands: new Map(Object.entries(demands)),
  members
})

/** Does what the policy says until it rests. */
const run = (start: PoolView, nowMs: number) => {
  let now = start
  for (let steps = 0; steps < 100; steps++) {
    const step = nextStep(now, config, nowMs)
    if (step._tag === "rest") return { ...now, untilMs: step.untilMs }
    const at = now.members.indexOf(step.kind)
    if (step._tag === "fill") now = { ...now, members: [...now.members, step.kind] }
    else if (step._tag === "end") now = { ...now, members: now.members.filter((_, index) => index !== at) }
    else now = { ...now, demands: new Map([...now.demands].filter(([kind]) => kind !== step.kind)) }
    const used = now.members.reduce((sum, kind) => sum + now.demands.get(kind)!.memoryMib, 0)
    assert.isAtMost(used, config.memoryMib)
  }
  throw new Error("it never rests")
}

describe("what the pool does next", () => {
  it("the pool rests for ever without a demand", () => {
    assert.deepStrictEqual(nextStep(view({}), config, 5), { _tag: "rest", untilMs: Infinity })
  })

  it("the pool fills the last requested kind, then the one before, and rests until they are idle", () => {
    const { members, untilMs } = run(view({ a: demand(0), b: demand(1) }), 2)
    assert.deepStrictEqual(members, ["b", "b", "a", "a"])
    assert.strictEqual(untilMs, 1000)
  })

  it("the pool keeps as many members of each kind as are demanded", () => {
    const { members } = run(view({ a: demand(0), b: demand(1, { members: 1 }) }), 2)
    assert.deepStrictEqual(members, ["b", "a", "a"])
  })

  it("the pool ends members of the oldest kind for a newer kind, and then rests", () => {
    const full = view({ a: demand(0), b: demand(1), c: demand(2) }, ["a", "a", "b", "b"])
    assert.deepStrictEqual(run(full, 3).members, ["b", "b", "c", "c"])
  })

  it("the pool fills no kind that exceeds its memory or that has just failed", () => {
    const { members, untilMs } = run(
      view({ huge: demand(2, { memoryMib: 4096 }), failed: demand(1, { notBeforeMs: 50 }), a: demand(0) }),
      3
    )
    assert.deepStrictEqual({ members, untilMs }, { members: ["a", "a"], untilMs: 50 })
  })

  it("the pool ends and forgets a kind that no request has used for the idle time", () => {
    const { demands, members } = run(view({ a: demand(0), b: demand(500) }, ["a", "b", "a", "b"]), 1000)
    assert.deepStrictEqual({ members, kinds: [...demands.keys()] }, { members: ["b", "b"], kinds: ["b"] })
  })
})
