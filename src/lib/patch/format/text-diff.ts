import { diffArrays } from "diff"
import { linesOf } from "../model/patch.ts"

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

/** The runs that turn one list of lines into the other. Bounded in time: if the budget is low, fewer lines are kept. */
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
  // Different lines with the same hash only cost time: then the lines themselves are compared.
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

/** Lines of context around a change. */
export const CONTEXT = 3

/** `count` successive lines that stay, are removed or are added. */
interface Run {
  readonly sign: " " | "-" | "+"
  readonly count: number
}

export interface TextDiff {
  /** Hunks in the form of a unified diff. Empty for equal texts. */
  readonly hunks: string
  /** Bytes of lines that stay. */
  readonly kept: number
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

  /** Number of the first line in its file, from 0. */
  readonly #firstLine: number

  constructor(old: ReadonlyArray<string>, now: ReadonlyArray<string>, firstLine: number) {
    this.#old = old
    this.#now = now
    this.#firstLine = firstLine
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
    this.#oldStart = this.#firstLine + oldStart
    this.#newStart = this.#firstLine + newStart
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

/** Start and count. The start of an empty range is the line before it. */
const range = (start: number, count: number) =>
  count === 1 ? `${start + 1}` : `${count === 0 ? start : start + 1},${count}`

/** 53 bits of a line (a byte string). Each line is compared some thousand times, and numbers compare faster. */
export const lineHash = (line: string): number => {
  let [high, low] = [0x811c9dc5, 0x2f0b4c47]
  for (let i = 0; i < line.length; i++) {
    const code = line.charCodeAt(i)
    high = Math.imul(high ^ code, 0x01000193)
    low = Math.imul(low ^ code, 0x5bd1e995)
    low ^= low >>> 15
  }
  return (high >>> 0) * 0x200000 + (low >>> 11)
}
