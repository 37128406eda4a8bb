import { type Format, numbersOf, sumOf } from "./format.ts"

/** The line of each test program of cargo: `test result: FAILED. 5 passed; 1 failed; 0 ignored; 0 measured; 2 filtered out; …`. */
export const cargo = (): Format => {
  const seen = { passed: 0, failed: 0, skipped: 0 }
  return {
    line: (line) => {
      const [, parts] = /^test result: (?:ok|FAILED)\. (\d.{0,200})$/.exec(line) ?? []
      if (parts === undefined) return false
      const numbers = numbersOf(parts, ";")
      seen.passed += sumOf(numbers, "passed")
      seen.failed += sumOf(numbers, "failed")
      seen.skipped += sumOf(numbers, "ignored")
      return true
    },
    counts: () => ({ format: "cargo", ...seen })
  }
}

/** `go test -v` names each test. Without `-v` it names only those that fail: then the packages are counted. */
export const go = (): Format => {
  const tests = { passed: 0, failed: 0, skipped: 0 }
  const packages = { passed: 0, failed: 0, skipped: 0 }
  let isVerbose = false
  return {
    line: (line) => {
      if (/^=== RUN {1,8}\S/.test(line)) {
        isVerbose = true
        return true
      }
      const [, how] = /^ {0,64}--- (PASS|FAIL|SKIP): \S/.exec(line) ?? []
      if (how !== undefined) {
        tests[how === "PASS" ? "passed" : how === "FAIL" ? "failed" : "skipped"]++
        return true
      }
      if (/^ok {2}\t\S/.test(line)) packages.passed++
      else if (/^FAIL\t\S/.test(line)) packages.failed++
      else return false
      return true
    },
    counts: () => ({ format: "go", ...(isVerbose ? tests : packages) })
  }
}
