/** Lines of context around a change. */
export const CONTEXT = 3

/** `count` lines that stay, or are taken out, or are put in, in the order of the file. */
export interface Run {
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
export class HunkWriter {
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
