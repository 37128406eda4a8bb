import { describe, expect, it } from "@effect/vitest"
import { summarize } from "../../../bench/statistics.ts"

describe("summarize", () => {
  it("summarize gives minimum, median and 95th percentile of values in any order", () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index)
    expect(summarize(values)).toEqual({ min: 1, median: 50.5, p95: 95, runs: 100 })
  })

  it("summarize gives the middle value of an odd count", () => {
    expect(summarize([9, 1, 5])).toEqual({ min: 1, median: 5, p95: 9, runs: 3 })
  })

  it("summarize does not average the slowest value away when there are few", () => {
    expect(summarize([1, 1, 1, 40]).p95).toBe(40)
  })

  it("summarize gives a single value for every figure", () => {
    expect(summarize([7])).toEqual({ min: 7, median: 7, p95: 7, runs: 1 })
  })

  it("summarize sorts by size and not by spelling", () => {
    expect(summarize([10, 9, 100]).median).toBe(10)
  })

  it("summarize refuses an empty list and values that are not numbers", () => {
    expect(() => summarize([])).toThrow(/no measurements/)
    expect(() => summarize([1, Number.NaN])).toThrow(/not a number/)
  })
})
