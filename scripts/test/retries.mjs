/**
 * Maximum number of tests of one CI run that may fail, and then pass in their second run. The number only falls: test/unit/scripts/retries.test.ts
 * compares the number with each earlier one in the history of git. Lower the number once CI has stayed below it.
 */
export const maximumRetriedTests = 5

/** The lines that name each retried test, and the failure of a run that has more than `maximum`. */
export const retriesReport = (retried, maximum = maximumRetriedTests) => ({
  lines: retried.map(({ name, reason }) => `retried: ${name}: ${reason}`),
  failures: retried.length <= maximum ? [] : [{
    name: "retried tests",
    reason: `${retried.length} tests passed only in their second run, and ${maximum} may. Mend the flaky tests: \
scripts/test/retries.mjs has the maximum, which only falls`
  }]
})
