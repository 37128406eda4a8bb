import { diffArrays } from "diff"
import { linesOf } from "./bytes.ts"
import { lineHash } from "./line-hash.ts"

/** Lines of context around a change. */
const CONTEXT = 3
/** Most lines taken out and put in that are looked for in one file: 0.3 s; beyond, its differing middle is replaced. */
const MAX_EDITS = 2_000

/** How much work is left for all the files of one patch; work grows with the square of a file's edits. */
export interface DiffBudget {
  edits2: number
}

/** About 5 s in all, on a slow host. */
export const diffBudget = (): DiffBudget => ({ edits2: 16 * MAX_EDITS ** 2 })

/** `count` lines that stay, or are taken out, or are put in, in the order of the file. */
interface Run {
  readonly sign: " " | "-" | "+"
  readonly count: number
}

/** The runs that lead from one list of lines to the other; bounded in time, if need be by naming fewer lines kept. */
const runsOf = (before: ReadonlyArray<string>, after: ReadonlyArray<string>, budget: DiffBudget): Array<Run> => {
  const shorter = Math.min(before.length, after.length)
  let start = 0
  while (start < shorter && before[start] === after[start]) start++
  let end = 0
  while (end < shorter - start && before[before.length - 1 - end] === after[after.length - 1 - end]) end++
  const [old, now] = [before.slice(start, before.length - end), after.slice(start, after.length - end)]
  const kept = (count: number): Run => ({ sign: " ", count })
  if (old.length === 0 || now.length === 0) return [kept(start), ...replacing(old, now), kept(end)]
  const hashed = middleOf(old.map(lineHash), now.map(lineHash), budget)
  // Two lines of one hash are in the way of nobody but whoever made them so: then the lines themselves are compared.
  const runs = areTrue(hashed, old, now) ? hashed : middleOf(old, now, budget)
  return [kept(start), ...runs, kept(end)]
}

/** Whether all that is said to stay does. */
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

export interface TextDiff {
  /** Hunks as a unified diff has them; empty when the texts are equal. */
  readonly hunks: string
  /** Bytes of lines that stay. */
  readonly kept: number
}

/** The hunks that turn one text into another; texts are byte strings. */
export const textDiff = (before: string, after: string, budget: DiffBudget): TextDiff => {
  const [old, now] = [linesOf(before), linesOf(after)]
  const runs = runsOf(old, now, budget).filter(({ count }) => count > 0)
  const writer = new HunkWriter(old, now)
  for (const [index, run] of runs.entries()) writer.add(run, index === runs.length - 1)
  return writer.end()
}

/** Gathers runs into hunks. */
class HunkWriter {
  readonly #out: Array<string> = []
  #body: Array<string> = []
  #kept = 0
  #oldAt = 0
  #newAt = 0
  #oldStart = 0
  #newStart = 0

  readonly #old: ReadonlyArray<string>
  readonly #now: ReadonlyArray<string>

  constructor(old: ReadonlyArray<string>, now: ReadonlyArray<string>) {
    this.#old = old
    this.#now = now
  }

  add({ count, sign }: Run, isLast: boolean) {
    if (sign === " ") this.#addKept(count, isLast)
    else this.#addEdit(count, sign)
  }

  end(): TextDiff {
    this.#close()
    return { hunks: this.#out.join(""), kept: this.#kept }
  }

  #addKept(count: number, isLast: boolean) {
    const isOpen = this.#body.length > 0
    const [oldFrom, newFrom] = [this.#oldAt, this.#newAt]
    for (let i = 0; i < count; i++) this.#kept += this.#old[oldFrom + i]!.length
    this.#oldAt += count
    this.#newAt += count
    const after = isOpen ? Math.min(count, isLast || count > 2 * CONTEXT ? CONTEXT : count) : 0
    this.#put(" ", this.#old, oldFrom, after)
    if (after === count && isOpen) return
    this.#close()
    const before = isLast ? 0 : Math.min(CONTEXT, count)
    this.#open(oldFrom + count - before, newFrom + count - before)
    this.#put(" ", this.#old, oldFrom + count - before, before)
  }

  #addEdit(count: number, sign: "-" | "+") {
    if (this.#body.length === 0) this.#open(this.#oldAt, this.#newAt)
    this.#put(sign, sign === "-" ? this.#old : this.#now, sign === "-" ? this.#oldAt : this.#newAt, count)
    if (sign === "-") this.#oldAt += count
    else this.#newAt += count
  }

  #put(sign: string, lines: ReadonlyArray<string>, from: number, count: number) {
    for (let i = from; i < from + count; i++) {
      const line = lines[i]!
      this.#body.push(line.endsWith("\n") ? sign + line : `${sign}${line}\n\\ No newline at end of file\n`)
    }
  }

  #open(oldStart: number, newStart: number) {
    this.#oldStart = oldStart
    this.#newStart = newStart
  }

  #close() {
    const counts = { " ": 0, "-": 0, "+": 0 }
    for (const line of this.#body) counts[line[0] as keyof typeof counts]++
    if (counts["-"] + counts["+"] > 0) {
      const old = range(this.#oldStart, counts[" "] + counts["-"])
      const now = range(this.#newStart, counts[" "] + counts["+"])
      this.#out.push(`@@ -${old} +${now} @@\n`, this.#body.join(""))
    }
    this.#body = []
  }
}

/** Start and count; the start of nothing is the line before it. */
const range = (start: number, count: number) =>
  count === 1 ? `${start + 1}` : `${count === 0 ? start : start + 1},${count}`
