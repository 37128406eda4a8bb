import { printable } from "../../contract/text/printable.ts"
import { bytesOf, type Hunk } from "../patch.ts"
import type { FileLines } from "./find-lines.ts"

/** Characters shown of a line. */
const SHOWN = 80
/** Maximum places to compare with a hunk in the search for its intended place. */
const CANDIDATES = 20

export const alreadyThere = "the file has what it would make: it seems to be applied already"

/**
 * The result of a hunk, if its presence in a file proves that the hunk was applied. One line may occur anywhere, and so may context
 * that only precedes or follows a deletion.
 */
export const tellingLinesOf = ({ lines }: Hunk): ReadonlyArray<string> | undefined => {
  const made = lines.filter(({ sign }) => sign !== "-")
  if (made.filter(({ text }) => /[^ \t\r\n]/.test(text)).length < 2) return undefined
  const isAround = lines[0]!.sign === " " && lines.at(-1)!.sign === " "
  return isAround || made.some(({ sign }) => sign === "+") ? made.map(({ text }) => text) : undefined
}

export const severalTimes = (found: ReadonlyArray<number>, most: number) => {
  const lines = found.map((at) => at + 1).join(", ")
  return `its lines are there ${found.length >= most ? "many times" : `${found.length} times`} (lines ${lines}); ` +
    `give more context`
}

/** A line (a byte string) of a guest's file or a patch, short and safe to print. */
export const shown = (line: string): string => {
  const text = printable(Buffer.from(bytesOf(line.slice(0, 4 * SHOWN))).toString("utf8").replace(/\r?\n$/, ""))
  return JSON.stringify(text.length > SHOWN ? `${text.slice(0, SHOWN)}...` : text)
}

const bare = (line: string) => line.replace(/\r?\n$/, "")
const ending = (line: string) => line.endsWith("\r\n") ? "CR LF" : line.endsWith("\n") ? "LF" : "no end of line"

/** Names the first line of a hunk that the file has otherwise, at the place that the hunk most likely means. */
export const notThere = (
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
