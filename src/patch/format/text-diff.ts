import { diffArrays } from "diff"
import { linesOf } from "../text/lines.ts"
import { HunkWriter, type Run, type TextDiff } from "./hunk-writer.ts"
import { lineHash } from "./line-hash.ts"

/** Maximum changed lines to find in one file: 0.3 s. Beyond it, the whole differing middle is replaced. */
const MAX_EDITS = 2_000

/** Remaining work for all files of one patch. Work grows with the square of a file's edits. */
export interface DiffBudget {
  edits2: number
}

/** About 5 s in all, on a slow host. */
export const diffBudget = (): DiffBudget => ({ edits2: 16 * MAX_EDITS ** 2 })

/** A step of a generator after which other work may run. */
type Pause = ""

/** The runs that lead from one list of lines to the other. The time is bounded: under pressure, fewer lines are kept. */
function* runsOf(
  before: ReadonlyArray<string>,
  after: ReadonlyArray<string>,
  budget: DiffBudget
): Generator<Pause, Array<Run>> {
  const shorter = Math.min(before.length, after.length)
  let start = 0
  while (start < shorter && before[start] === after[start]) start++
  let end = 0
  while (end < shorter - start && before[before.length - 1 - end] === after[after.length - 1 - end]) end++
  const [old, now] = [before.slice(start, before.length - end), after.slice(start, after.length - end)]
  const kept = (count: number): Run => ({ sign: " ", count })
  if (old.length === 0 || now.length === 0) return [kept(start), ...replacing(old, now), kept(end)]
  const oldHashes = old.map(lineHash)
  yield ""
  const newHashes = now.map(lineHash)
  yield ""
  const hashed = middleOf(oldHashes, newHashes, budget)
  yield ""
  // Lines with the same hash harm only their author: then the lines themselves are compared.
  const runs = areTrue(hashed, old, now) ? hashed : middleOf(old, now, budget)
  return [kept(start), ...runs, kept(end)]
}

/** Whether all kept lines are equal. */
const areTrue = (runs: ReadonlyArray<Run>, before: ReadonlyArray<string>, after: ReadonlyArray<string>): boolean => {
  let [old, now] = [0, 0]
  for (const { count, sign } of runs) {
    for (let i = 0; sign === " " && i < count; i++) if (before[old + i] !== after[now + i]) return false
    if (sign !== "+") old += count
    if (sign !== "-") now += count
  }
  return true
}

const replacing = (before: ReadonlyArray<unknown>, after: ReadonlyArray<unknown>): Array<Run> => [
  { sign: "-", count: before.length },
  { sign: "+", count: after.length }
]

const middleOf = <A extends string | number>(before: Array<A>, after: Array<A>, budget: DiffBudget): Array<Run> => {
  const maxEditLength = Math.min(MAX_EDITS, Math.floor(Math.sqrt(budget.edits2)))
  const parts = diffArrays(before, after, { maxEditLength })
  if (parts === undefined) {
    budget.edits2 -= maxEditLength ** 2
    return replacing(before, after)
  }
  const edits = parts.reduce((sum, { added, count, removed }) => sum + (added || removed ? count : 0), 0)
  budget.edits2 -= edits ** 2
  return parts.map(({ added, count, removed }) => ({ sign: added ? "+" : removed ? "-" : " ", count }))
}

/**
 * The hunks that turn one text into another, as byte strings. The texts may be parts of files that begin at line `firstLine`,
 * counted from 0. Yields after each long step.
 */
export function* textDiff(
  before: string,
  after: string,
  budget: DiffBudget,
  firstLine = 0
): Generator<Pause, TextDiff> {
  const old = linesOf(before)
  yield ""
  const now = linesOf(after)
  yield ""
  const runs = (yield* runsOf(old, now, budget)).filter(({ count }) => count > 0)
  yield ""
  const writer = new HunkWriter(old, now, firstLine)
  for (const [index, run] of runs.entries()) writer.add(run, index === runs.length - 1)
  yield ""
  return writer.end()
}
