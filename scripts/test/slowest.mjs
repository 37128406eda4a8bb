import { duration } from "../setup/report.mjs"

/** The lines that name the files of tests which took the longest time of a run, over all suites of vitest. */
export const slowestReport = (files, count = 10) =>
  [...files].sort((one, other) => other.ms - one.ms).slice(0, count).map(({ ms, name }) =>
    `slow: ${name}: ${duration(ms)}`
  )
