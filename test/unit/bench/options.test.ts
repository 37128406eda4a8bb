import { describe, expect, it } from "@effect/vitest"
import { parseOptions } from "../../../bench/options.ts"

const names = ["floors", "restore"]

describe("parseOptions", () => {
  it("the bench measures all rows fifteen times by default", () => {
    expect(parseOptions([], names)).toEqual({ runs: 15, only: undefined, json: undefined, help: false })
    expect(parseOptions(["--runs", "3", "--only", "restore", "--json", "a.json"], names)).toEqual({
      runs: 3,
      only: "restore",
      json: "a.json",
      help: false
    })
  })

  it.each([["0"], ["-1"], ["1.5"], ["many"], ["1001"]])("the bench refuses --runs %s", (runs) => {
    expect(() => parseOptions([`--runs=${runs}`], names)).toThrow(/--runs/)
  })

  it("the bench lists its rows if a named row is unknown", () => {
    expect(() => parseOptions(["--only", "nothing"], names)).toThrow(
      "there is no row nothing; there are floors, restore"
    )
  })

  it("the bench refuses unknown flags", () => {
    expect(() => parseOptions(["--fast"], names)).toThrow(/--fast/)
  })
})
