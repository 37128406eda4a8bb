import { distanceOf as lettersBetween } from "../contract/text/similar.ts"

/**
 * The only candidate that begins with `word`, else the one that differs from it in at most two letters (one of a short word), if any. One that `ends` something
 * is nobody's nearest: it is the answer to its own misspelling, and to no word that may mean anything else.
 */
export const closest = (
  word: string,
  candidates: ReadonlyArray<string>,
  ends: (candidate: string) => boolean
): string | undefined => {
  const mistyped = candidates.find((candidate) => ends(candidate) && isSlip(word, candidate))
  if (mistyped !== undefined) return mistyped
  // One that cannot be suggested still makes a beginning ambiguous.
  const [longer, ...others] = candidates.filter((candidate) => candidate.startsWith(word))
  if (longer !== undefined && others.length === 0) return ends(longer) ? undefined : longer
  return similar(word, candidates.filter((candidate) => !ends(candidate)))
}

const similar = (word: string, candidates: ReadonlyArray<string>): string | undefined =>
  candidates
    .map((candidate) => ({ candidate, distance: distanceOf(word, candidate) }))
    .filter(({ distance }) => distance <= (word.length < LONG ? 1 : 2) && distance < word.length)
    .sort((a, b) => a.distance - b.distance)[0]?.candidate

/** Letters of a word that may differ from the meant one in two of them: of a shorter word, too little would be left. */
const LONG = 5

/** Letters to add, to leave out or to change. Two that have changed places count once. */
const distanceOf = (word: string, candidate: string): number => {
  const distance = (one: string) => lettersBetween(one.toLowerCase(), candidate.toLowerCase())
  const swapped = Array.from(word.slice(1), (letter, at) => word.slice(0, at) + letter + word[at] + word.slice(at + 2))
  return Math.min(distance(word), ...swapped.map((one) => 1 + distance(one)))
}

/** Fewest letters of a word that is recognized when it is misspelled, and when a letter of it is missing: "rest" is no slip of "reset". */
const FEWEST = 4
const FEWEST_FOR_MISSING = 6

/** Whether fingers slipped on `meant`: behind its first letter, one letter is missing, twice there, or has changed places with the next. */
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
