import { type Format, numbersOf, sumOf } from "./format.ts"

/** The line of vitest's summary: `Tests  2 failed | 5 passed | 1 skipped (8)`. */
export const vitest = (): Format => {
  let numbers: ReadonlyMap<string, number> = new Map()
  return {
    line: (line) => {
      const [, parts] = /^ {0,16}Tests {1,8}(\d.{0,200}) \(\d{1,9}\)$/.exec(line) ?? []
      if (parts === undefined) return false
      numbers = numbersOf(parts, "|")
      return numbers.size > 0
    },
    counts: () => ({
      format: "vitest",
      passed: sumOf(numbers, "passed", "expected fail"),
      failed: sumOf(numbers, "failed"),
      skipped: sumOf(numbers, "skipped", "todo")
    })
  }
}
