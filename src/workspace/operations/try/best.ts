import type { CandidateResult } from "../../../contract/rows/workspace-try-fields.ts"

/** Values by which candidates are compared, the most important first. A larger one is better. */
const valuesOf = ({ diff, outcome, tests }: CandidateResult): ReadonlyArray<number> => [
  outcome === "passed" ? 1 : 0,
  tests?.passed ?? 0,
  -(tests?.failed ?? 0),
  // A candidate with an unknown diff may have changed anything.
  diff === undefined ? -Infinity : -(diff.additions + diff.deletions),
  diff === undefined ? -Infinity : -diff.files
]

/** Whether one candidate is better than another. Of two equal ones, none is. */
export const isBetter = (one: CandidateResult, other: CandidateResult): boolean => {
  const [mine, its] = [valuesOf(one), valuesOf(other)]
  const at = mine.findIndex((value, index) => value !== its[index])
  return at >= 0 && mine[at]! > its[at]!
}

/** Outcomes of candidates whose steps ran to an end that says something about the candidate. */
const JUDGED: ReadonlySet<CandidateResult["outcome"]> = new Set(["passed", "failed", "timed_out"])

/** The best of the candidates, and the first of equal ones. Undefined if none ran to its end. */
export const bestOf = (results: ReadonlyArray<CandidateResult>): CandidateResult | undefined =>
  results
    .filter(({ outcome }) => JUDGED.has(outcome))
    .reduce<CandidateResult | undefined>(
      (best, one) => best === undefined || isBetter(one, best) ? one : best,
      undefined
    )
