import { printable } from "../../../contract/text/printable.ts"
import { bytesOf, type Hunk } from "../model/patch.ts"
import type { FileLines, Likeness } from "./find-lines.ts"

/** Maximum lines to search for the hunks of one patch that are not at their stated place: some seconds. */
export interface SearchBudget {
  lines: number
}
export const searchBudget = (): SearchBudget => ({ lines: 20_000_000 })

interface Cursor {
  /** First line that the hunk may touch: earlier lines belong to the previous hunk. */
  readonly from: number
  /** Distance of the previous hunk from its stated place. */
  readonly drift: number
  readonly budget: SearchBudget
}

export type Place =
  | { readonly _tag: "at"; readonly at: number; readonly oldLines: ReadonlyArray<string>; readonly like: Likeness }
  | { readonly _tag: "nowhere"; readonly reason: string }

const nowhere = (reason: string): Place => ({ _tag: "nowhere", reason })

const oldLinesOf = (hunk: Hunk) => hunk.lines.filter(({ sign }) => sign !== "+").map(({ text }) => text)

/** Place where a hunk fits, or the reason why it does not. */
export const placeHunk = (file: FileLines, hunk: Hunk, cursor: Cursor): Place =>
  hunk.place._tag === "line"
    ? placeNumbered(file, hunk, { ...cursor, line: hunk.place.line })
    : placeAnchored(file, hunk, { ...cursor, ...hunk.place })

const placeNumbered = (file: FileLines, hunk: Hunk, cursor: Cursor & { readonly line: number }): Place => {
  const oldLines = oldLinesOf(hunk)
  if (oldLines.length === 0) {
    const at = cursor.line + cursor.drift
    if (at >= cursor.from && at <= file.count) return { _tag: "at", at, oldLines, like: "exact" }
    return nowhere(`it adds lines after line ${cursor.line}, but the file has ${file.count}`)
  }
  const said = Math.max(cursor.line, 1) - 1 + cursor.drift
  if (said >= cursor.from && file.matchesAt(oldLines, said)) return { _tag: "at", at: said, oldLines, like: "exact" }
  for (const like of ["exact", "line end"] as const) {
    if (!pay(cursor, file)) return nowhere(tooMuch)
    const found = file.find(oldLines, { like, from: cursor.from, most: MOST })
    if (found.length === 1) return { _tag: "at", at: found[0]!, oldLines, like }
    if (found.length > 1) return nowhere(severalTimes(found, MOST))
  }
  if (!pay(cursor, file)) return nowhere(tooMuch)
  return nowhere(reasonFor(file, hunk, said, cursor))
}

/** Maximum matches to count for the error. */
const MOST = 5
const tooMuch = "it is not where it says, and there is too much to look through; correct its line number"

const pay = (cursor: Cursor, file: FileLines) => (cursor.budget.lines -= file.count) >= 0

const reasonFor = (file: FileLines, hunk: Hunk, said: number, cursor: Cursor) => {
  const oldLines = oldLinesOf(hunk)
  const made = tellingLinesOf(hunk)
  const isThere = made !== undefined && file.find(made, { like: "line end", from: 0, most: 1 }).length > 0
  if (isThere && made.length > oldLines.length) return alreadyThere
  const before = file.find(oldLines, { like: "line end", from: 0, most: 1 })[0]
  if (before !== undefined && before < cursor.from) {
    return `its lines are at line ${before + 1}, before or within those of the hunk before it; hunks go down the file`
  }
  if (isThere) return alreadyThere
  return notThere(file, oldLines, { said, isNumbered: hunk.place._tag === "line" })
}

const likenesses = ["exact", "line end", "trailing space", "space"] as const

const placeAnchored = (
  file: FileLines,
  hunk: Hunk,
  cursor: Cursor & { readonly anchors: ReadonlyArray<string>; readonly atEnd: boolean }
): Place => {
  let from = cursor.from
  for (const anchor of cursor.anchors) {
    const at = firstLike(file, [`${anchor}\n`], from, cursor)
    if (at === undefined) return nowhere(`no line ${shown(anchor)} (its @@) is there from line ${from + 1} on`)
    from = at.at + 1
  }
  const oldLines = oldLinesOf(hunk)
  const isAnchored = cursor.anchors.length > 0
  if (oldLines.length === 0) return { _tag: "at", at: isAnchored ? from : file.count, oldLines, like: "space" }
  // Some models repeat the anchor as the first line of the hunk, some leave an empty line after its last.
  const starts = isAnchored ? [from, from - 1] : [from]
  for (const lines of lastLineBlank(hunk) ? [oldLines, oldLines.slice(0, -1)] : [oldLines]) {
    if (lines.length === 0) continue
    for (const start of starts) {
      const end = file.count - lines.length
      if (cursor.atEnd && end >= start) {
        const last = firstLike(file, lines, end, cursor)
        if (last !== undefined) return { _tag: "at", oldLines: lines, ...last }
      }
      const place = placeFrom(file, lines, { ...cursor, start, isAnchored })
      if (place !== undefined) return place
    }
  }
  if (!pay(cursor, file)) return nowhere(tooMuch)
  return nowhere(reasonFor(file, hunk, from, cursor))
}

const lastLineBlank = (hunk: Hunk) => {
  const last = hunk.lines.at(-1)
  return last?.sign === " " && /^\r?\n$/.test(last.text)
}

const placeFrom = (
  file: FileLines,
  oldLines: ReadonlyArray<string>,
  cursor: Cursor & { readonly start: number; readonly isAnchored: boolean }
): Place | undefined => {
  for (const like of likenesses) {
    if (!pay(cursor, file)) return nowhere(tooMuch)
    const found = file.find(oldLines, { like, from: cursor.start, most: MOST })
    if (found.length === 1 || (found.length > 1 && cursor.isAnchored)) {
      return { _tag: "at", at: found[0]!, oldLines, like }
    }
    if (found.length > 1) return nowhere(severalTimes(found, MOST))
  }
  return undefined
}

const firstLike = (file: FileLines, lines: ReadonlyArray<string>, from: number, cursor: Cursor) => {
  for (const like of likenesses) {
    if (!pay(cursor, file)) return undefined
    const [at] = file.find(lines, { like, from, most: 1 })
    if (at !== undefined) return { at, like }
  }
  return undefined
}

/** Characters shown of a line. */
const SHOWN = 80
/** Maximum places to compare with a hunk in the search for its intended place. */
const CANDIDATES = 20

const alreadyThere = "the file has what it would make: it seems to be applied already"

/**
 * The result of a hunk, if its presence in a file proves that the hunk was applied. One line may occur anywhere, and so may context
 * that only precedes or follows a deletion.
 */
const tellingLinesOf = ({ lines }: Hunk): ReadonlyArray<string> | undefined => {
  const made = lines.filter(({ sign }) => sign !== "-")
  if (made.filter(({ text }) => /[^ \t\r\n]/.test(text)).length < 2) return undefined
  const isAround = lines[0]!.sign === " " && lines.at(-1)!.sign === " "
  return isAround || made.some(({ sign }) => sign === "+") ? made.map(({ text }) => text) : undefined
}

const severalTimes = (found: ReadonlyArray<number>, most: number) => {
  const lines = found.map((at) => at + 1).join(", ")
  return `its lines are there ${found.length >= most ? "many times" : `${found.length} times`} (lines ${lines}); ` +
    `give more context`
}

/** A line (a byte string) of a guest's file or a patch, short and safe to print. */
const shown = (line: string): string => {
  const text = printable(Buffer.from(bytesOf(line.slice(0, 4 * SHOWN))).toString("utf8").replace(/\r?\n$/, ""))
  return JSON.stringify(text.length > SHOWN ? `${text.slice(0, SHOWN)}...` : text)
}

const bare = (line: string) => line.replace(/\r?\n$/, "")
const ending = (line: string) => line.endsWith("\r\n") ? "CR LF" : line.endsWith("\n") ? "LF" : "no end of line"

/** Names the first line of a hunk that differs from the file's, at the most likely place of the hunk. */
const notThere = (
  file: FileLines,
  oldLines: ReadonlyArray<string>,
  { isNumbered, said }: { readonly said: number; readonly isNumbered: boolean }
): string => {
  const matching = (at: number) => {
    let count = 0
    while (count < oldLines.length && at + count < file.count && oldLines[count] === file.lines[at + count]) count++
    return count
  }
  const first = file.find(oldLines.slice(0, 1), { like: "exact", from: 0, most: CANDIDATES })
  const best = [said, ...first].map((at) => ({ at, count: matching(Math.max(0, at)) }))
    .reduce((one, other) => other.count > one.count ? other : one)
  const at = Math.max(0, best.at) + best.count
  const line = oldLines[Math.min(best.count, oldLines.length - 1)]!
  const wanted = shown(line)
  if (!isNumbered && best.count === 0 && file.find([line], { like: "space", from: 0, most: 1 }).length === 0) {
    return `the file has no line ${wanted}`
  }
  const there = file.lines[at]
  if (there !== undefined && there !== line && bare(there) === bare(line)) {
    return `line ${at + 1} ends with ${ending(there)}, where it has ${ending(line)}`
  }
  return at < file.count
    ? `line ${at + 1} is ${shown(file.lines[at]!)}, where it has ${wanted}`
    : `the file ends at line ${file.count}, where it goes on with ${wanted}`
}
