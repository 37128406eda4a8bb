import { describe, expect, it } from "@effect/vitest"
import { judge, type Measured } from "../../../bench/report.ts"
import { plans } from "../../../bench/rows.ts"
import { table } from "../../../bench/table.ts"

const measured = (changes: Partial<Measured>): Measured => ({
  name: "restore",
  unit: "ms",
  about: "something",
  budget: { kind: "ratio", atMost: 1.3 },
  floor: [190, 200, 210],
  granted: [],
  ours: [230, 250, 400],
  ...changes
})

describe("judge", () => {
  it("the bench's judgement compares medians", () => {
    expect(judge(measured({}))).toEqual({
      name: "restore",
      unit: "ms",
      floor: 200,
      ours: 250,
      ratio: 1.25,
      budget: 1.3,
      budget_text: "<= 1.3x",
      ok: true,
      earlier: [],
      floor_by_prototype: null,
      about: "something",
      floor_summary: { min: 190, median: 200, p95: 210, runs: 3 },
      ours_summary: { min: 230, median: 250, p95: 400, runs: 3 }
    })
    expect(judge(measured({ ours: [261] })).ok).toBe(false)
  })

  it("a measured allowance is added to the ratio's limit", () => {
    const granted = [1, 60, 400]
    expect(judge(measured({ granted, ours: [319] }))).toMatchObject({
      ok: true,
      budget: 1.6,
      budget_text: "<= 1.3x + 60 ms"
    })
    expect(judge(measured({ granted, ours: [321] })).ok).toBe(false)
  })

  it("a budget's fixed allowance is added to the ratio's limit", () => {
    const budget = { kind: "ratio", atMost: 1.3, plus: 100 } as const
    expect(judge(measured({ budget, ours: [359] }))).toMatchObject({
      ok: true,
      budget: 1.8,
      budget_text: "<= 1.3x + 100 ms"
    })
    expect(judge(measured({ budget, ours: [361] })).ok).toBe(false)
  })

  it("a throughput row must be above its bound", () => {
    const budget = { kind: "ratio", atLeast: 0.6 } as const
    expect(judge(measured({ budget, ours: [121] }))).toMatchObject({ ok: true, ratio: 0.605, budget: 0.6 })
    expect(judge(measured({ budget, ours: [119] })).ok).toBe(false)
  })

  it("an absolute bound applies to our side, with or without a floor", () => {
    const budget = { kind: "absolute", atMost: 80 } as const
    expect(judge(measured({ unit: "MiB", budget, floor: [64], ours: [79] }))).toMatchObject({
      ok: true,
      ratio: 1.234,
      budget: 80,
      budget_text: "<= 80 MiB"
    })
    expect(judge(measured({ unit: "MiB", budget, floor: [], ours: [81] }))).toMatchObject({
      ok: false,
      floor: null,
      ratio: null,
      floor_summary: null
    })
  })

  it("a relative budget without a floor is refused", () => {
    expect(() => judge(measured({ floor: [] }))).toThrow(/needs one/)
  })

  it("a judged row survives JSON unchanged", () => {
    const row = judge(measured({}))
    expect(JSON.parse(JSON.stringify(row))).toEqual(row)
    expect(Object.keys(row)).toEqual(expect.arrayContaining(["name", "unit", "floor", "ours", "ratio", "budget", "ok"]))
  })
})

describe("table", () => {
  it("the bench's table is in columns and marks rows over budget", () => {
    const rows = [judge(measured({})), judge(measured({ name: "idle-memory", ours: [900] }))]
    expect(table(rows)).toBe([
      "             unit  floor min/median/p95  ours min/median/p95  ratio   budget",
      "restore        ms       190 / 200 / 210      230 / 250 / 400  1.25x  <= 1.3x    ok",
      "idle-memory    ms       190 / 200 / 210      900 / 900 / 900  4.50x  <= 1.3x  OVER"
    ].join("\n"))
  })

  it("the table reports a floor far from its prototype beside a row over budget", () => {
    const last = (changes: Partial<Measured>) =>
      table([judge(measured({ ours: [900], ...changes }))]).split("  ").at(-1)
    expect(last({ prototype: 100 })).toBe("OVER; floor 2.00x its prototype")
    expect(last({ prototype: 150 })).toBe("OVER")
    expect(last({ prototype: 100, ours: [200] })).toBe("ok")
    expect(judge(measured({ prototype: 100 })).floor_by_prototype).toBe(2)
  })

  it("the table shows a dash for a row without a floor", () => {
    const row = judge(measured({ budget: { kind: "absolute", atMost: 32 }, floor: [], ours: [0.123, 12.34] }))
    expect(table([row]).split("\n")[1]).toMatch(/^restore +ms +- +0\.12 \/ 6\.23 \/ 12\.3 +- +<= 32 ms +ok$/)
  })
})

describe("plans", () => {
  it("bench rows have unique names, and a floor if their budget is relative", () => {
    const names = plans.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    for (const { budget, floor, name } of plans) {
      expect(floor !== undefined || budget.kind === "absolute", name).toBe(true)
    }
  })
})
