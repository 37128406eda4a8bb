import { type Format, numberOf, numbersOf, sumOf } from "./format.ts"

/** The last line of pytest: `==== 2 failed, 5 passed, 1 skipped in 0.12s ====`, with `-q` without the frame. */
export const pytest = (): Format => {
  let numbers: ReadonlyMap<string, number> = new Map()
  return {
    line: (line) => {
      const [, parts = ""] =
        /^(?:=+ )?(.{1,200}) in \d{1,9}(?:\.\d{1,6})?s(?: \([\d:, days]{1,32}\))?(?: =+)?$/.exec(line) ?? []
      const found = numbersOf(parts, ",")
      const isReport = parts === "no tests ran" ||
        sumOf(found, "passed", "failed", "skipped", "error", "errors", "xfailed", "xpassed", "deselected") > 0
      if (isReport) numbers = found
      return isReport
    },
    counts: () => ({
      format: "pytest",
      passed: sumOf(numbers, "passed", "xpassed"),
      failed: sumOf(numbers, "failed", "error", "errors"),
      skipped: sumOf(numbers, "skipped", "xfailed")
    })
  }
}

/** `Ran 8 tests in 0.010s`, and `FAILED (failures=1, errors=1, skipped=2)` or `OK` below it. */
export const unittest = (): Format => {
  let ran: number | undefined
  let numbers: ReadonlyMap<string, number> = new Map()
  return {
    line: (line) => {
      const [, total] = /^Ran (\d{1,9}) tests? in \d{1,9}(?:\.\d{1,6})?s$/.exec(line) ?? []
      if (total !== undefined) {
        ran = numberOf(total)
        numbers = new Map()
        return false
      }
      const end = /^(?:OK|FAILED|NO TESTS RAN)(?: \((.{0,200})\))?$/.exec(line)
      if (ran === undefined || end === null) return false
      numbers = numbersOf((end[1] ?? "").replaceAll(/([a-z][a-z ]{0,32})=(\d{1,9})/g, "$2 $1"), ",")
      return true
    },
    counts: () => {
      const failed = sumOf(numbers, "failures", "errors", "unexpected successes")
      const skipped = sumOf(numbers, "skipped", "expected failures")
      return { format: "unittest", passed: Math.max(0, (ran ?? 0) - failed - skipped), failed, skipped }
    }
  }
}
