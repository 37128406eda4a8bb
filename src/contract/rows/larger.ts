import { type NextStep, option, words } from "../errors/next-step.ts"
import { MAX_COPY } from "./copy-limits.ts"

/** The step that lets a copy through, or `less` if no value of the option would. */
export const allowing = (less: string, field: keyof typeof MAX_COPY, needed: number): NextStep =>
  needed > MAX_COPY[field] ? words(less) : option("Allow more", field, needed)

/** Steps after a copy of more entries than allowed, which were not all counted. */
export const fewerEntries = (less: string, allowed: number): ReadonlyArray<NextStep> =>
  allowed < MAX_COPY.max_entries ? [words(less), option("Or allow more", "max_entries")] : [words(less)]
