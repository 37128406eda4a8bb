import { closest } from "./closest.ts"

/** Options with which a command removes or overwrites more than without. */
const ENDS = [
  "--all",
  "--clear-label",
  "--clear-name",
  "--clear-secret",
  "--clear-secret-http",
  "--delete",
  "--force",
  "--overwrite",
  "--replace",
  "--yes"
]

/** Names the option, and the one that was meant, if any. */
export const unknownOption = (word: string, options: ReadonlyArray<string>): string => {
  const near = closest(word.split("=", 1)[0] ?? word, options, (one) => ENDS.includes(one))
  return `no option ${word}${near === undefined ? "" : `. Did you mean ${near}?`}`
}
