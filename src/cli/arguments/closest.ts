import { distanceOf as lettersBetween } from "../../contract/text/similar.ts"

/**
 * The only candidate that begins with `word`, else the nearest one that differs in at most two letters (one letter for a short word). A candidate that `ends` something
 * is only suggested for a clear misspelling of itself.
 */
export const closest = (
  word: string,
  candidates: ReadonlyArray<string>,
  ends: (candidate: string) => boolean
): string | undefined => {
  const mistyped = candidates.find((candidate) => ends(candidate) && isSlip(word, candidate))
  if (mistyped !== undefined) return mistyped
  // A candidate that ends something still makes a beginning ambiguous.
  const [longer, ...others] = candidates.filter((candidate) => candidate.startsWith(word))
  if (longer !== undefined && others.length === 0) return ends(longer) ? undefined : longer
  return similar(word, candidates.filter((candidate) => !ends(candidate)))
}

const similar = (word: string, candidates: ReadonlyArray<string>): string | undefined =>
  candidates
    .map((candidate) => ({ candidate, distance: distanceOf(word, candidate) }))
    .filter(({ distance }) => distance <= (word.length < LONG ? 1 : 2) && distance < word.length)
    .sort((a, b) => a.distance - b.distance)[0]?.candidate

/** Minimum letters of a word for which two letters may differ. */
const LONG = 5

/** Number of letters to add, remove or change. Two swapped letters count once. */
const distanceOf = (word: string, candidate: string): number => {
  const distance = (one: string) => lettersBetween(one.toLowerCase(), candidate.toLowerCase())
  const swapped = Array.from(word.slice(1), (letter, at) => word.slice(0, at) + letter + word[at] + word.slice(at + 2))
  return Math.min(distance(word), ...swapped.map((one) => 1 + distance(one)))
}

/** Minimum letters of a word whose slips are recognized, and of a word whose missing letter is recognized: "rest" is not a slip of "reset". */
const FEWEST = 4
const FEWEST_FOR_MISSING = 6

/** Whether `word` is a slip of `meant`: after the first letter, one letter is missing, doubled, or swapped with the next. */
const isSlip = (word: string, meant: string): boolean => {
  const [typed, right] = [word, meant].map((one) => one.replace(/^-+/, "")) as [string, string]
  if (right.length < FEWEST || typed[0] !== right[0]) return false
  return Array.from(right.slice(1), (letter, before) => {
    const at = before + 1
    const [front, next = "", rest] = [right.slice(0, at), right[at + 1], right.slice(at + 1)]
    const missing = right.length < FEWEST_FOR_MISSING ? [] : [front + rest]
    return [...missing, front + letter + letter + rest, front + next + letter + rest.slice(1)]
  }).some((slips) => slips.includes(typed))
}

/** Options that make a command remove or overwrite more. */
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

/** Error text of an unknown option, with the nearest known one. */
export const unknownOption = (word: string, options: ReadonlyArray<string>): string => {
  const near = closest(word.split("=", 1)[0] ?? word, options, (one) => ENDS.includes(one))
  return `no option ${word}${near === undefined ? "" : `. Did you mean ${near}?`}`
}
