import { type Format, numberOf } from "./format.ts"

/**
 * TAP (testanything.org), and the summary of Node's test runner, which counts the tests in files and in other tests too. Indented lines are
 * tests in tests: TAP counts those above them.
 */
export const tap = (): Format => {
  const seen = { passed: 0, failed: 0, skipped: 0 }
  const summary = new Map<string, number>()
  let isTap = false
  return {
    line: (line) => {
      const [, name, digits] = /^(?:#|\u2139) (tests|pass|fail|cancelled|skipped|todo) (\d{1,9})$/.exec(line) ?? []
      if (name !== undefined) {
        summary.set(name, numberOf(digits))
        return summary.has("pass") && summary.has("fail")
      }
      if (/^TAP version \d+$/.test(line) || /^\d+\.\.\d+( |$)/.test(line)) {
        isTap = true
        return true
      }
      const [, not, rest = ""] = /^(not )?ok\b(.*)$/.exec(line) ?? []
      if (!/^(?:not )?ok\b/.test(line)) return false
      // A test that is still to be written counts as left out, whatever it gives.
      if (/ # ?(skip|todo)/i.test(rest)) seen.skipped++
      else if (not === undefined) seen.passed++
      else seen.failed++
      return isTap
    },
    counts: () => {
      if (!summary.has("pass") || !summary.has("fail")) return { format: "tap", ...seen }
      const of = (name: string) => summary.get(name) ?? 0
      return {
        format: "tap",
        passed: of("pass"),
        failed: of("fail") + of("cancelled"),
        skipped: of("skipped") + of("todo")
      }
    }
  }
}
