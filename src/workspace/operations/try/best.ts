import type { CandidateResult } from "../../../contract/rows/workspace-try-fields.ts"
import { count } from "../../../contract/text/count.ts"

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

/** A measure of `valuesOf`, as a person reads it. */
interface Measure {
  /** What both have, if the measure did not decide. Undefined: it says nothing. */
  readonly same: (both: CandidateResult) => string | undefined
  readonly decides: (best: CandidateResult, next: CandidateResult) => string
}

const linesOf = ({ diff }: CandidateResult) => diff === undefined ? undefined : diff.additions + diff.deletions

/** In the order of `valuesOf`. */
const measures: ReadonlyArray<Measure> = [
  {
    same: ({ outcome }) => outcome === "passed" ? "both passed" : "neither passed",
    decides: (_, next) => `it passed, and ${next.name} did not`
  },
  {
    same: ({ tests }) => tests === undefined ? undefined : `${count(tests.passed, "test")} passed in each`,
    decides: ({ tests }, next) =>
      `${count(tests?.passed ?? 0, "test")} passed, and ${next.tests?.passed ?? 0} in ${next.name}`
  },
  {
    same: ({ tests }) => tests === undefined ? undefined : `${tests.failed} failed in each`,
    decides: ({ tests }, next) =>
      `${count(tests?.failed ?? 0, "test")} failed, and ${next.tests?.failed ?? 0} in ${next.name}`
  },
  {
    same: (both) => linesOf(both) === undefined ? undefined : `${count(linesOf(both)!, "line")} changed in each`,
    decides: (best, next) =>
      linesOf(next) === undefined
        ? `the changes of ${next.name} are unknown`
        : `the smaller diff: ${count(linesOf(best)!, "line")} changed, and ${linesOf(next)!} in ${next.name}`
  },
  {
    same: () => undefined,
    decides: ({ diff }, next) =>
      `the smaller diff: ${count(diff!.files, "file")} changed, and ${next.diff!.files} in ${next.name}`
  }
]

/** Outcomes of candidates whose steps ran to an end that says something about the candidate. */
const JUDGED: ReadonlySet<CandidateResult["outcome"]> = new Set(["passed", "failed", "timed_out"])

export const isJudged = ({ outcome }: CandidateResult): boolean => JUDGED.has(outcome)

/** The best of the candidates, and the first of equal ones. Undefined if none ran to its end. */
export const bestOf = (results: ReadonlyArray<CandidateResult>): CandidateResult | undefined =>
  results
    .filter(isJudged)
    .reduce<CandidateResult | undefined>(
      (best, one) => best === undefined || isBetter(one, best) ? one : best,
      undefined
    )

/** Why the best candidate is the best: what it has in common with the next best, and the measure that decided. */
export const becauseOf = (results: ReadonlyArray<CandidateResult>, best: CandidateResult): string => {
  const next = bestOf(results.filter((one) => one !== best))
  if (next === undefined) return "no other candidate ran to its end"
  const [mine, its] = [valuesOf(best), valuesOf(next)]
  const at = mine.findIndex((value, index) => value !== its[index])
  const equal = measures.slice(0, at === -1 ? undefined : at).flatMap(({ same }) => same(best) ?? [])
  const decisive = at === -1
    ? `no measure tells it from ${next.name}, which comes later`
    : measures[at]!.decides(best, next)
  return [...equal, decisive].join("; ")
}
