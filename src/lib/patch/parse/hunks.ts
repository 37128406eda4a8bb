import { type Hunk, type HunkLine, limits } from "../model/patch.ts"
import type { LineReader } from "./line-reader.ts"

/** Used part of a patch's `limits`. */
export interface Used {
  hunks: number
  lines: number
  inflated: number
}

/** Counts one more hunk. Fails above the limit. */
export const countHunk = (reader: LineReader, used: Used) => {
  if (++used.hunks > limits.hunks) reader.fail(`it has more than ${limits.hunks} hunks`)
}

/** Counts one more line and moves past it. Fails above the limit. */
export const countLine = (reader: LineReader, used: Used) => {
  if (++used.lines > limits.lines) reader.fail(`it has more than ${limits.lines} lines`)
  reader.skip()
}

const header = /^@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@/

export const isHunkHeader = (line: string | undefined) => line !== undefined && header.test(line)

/** Reads the next hunks. A CR at a line's end is content. */
export const readHunks = (reader: LineReader, used: Used): Array<Hunk> => {
  const hunks: Array<Hunk> = []
  while (isHunkHeader(reader.peek())) {
    countHunk(reader, used)
    hunks.push(readHunk(reader, used))
  }
  return hunks
}

const readHunk = (reader: LineReader, used: Used): Hunk => {
  const first = reader.mark()
  const [, start, oldCount = "1", , newCount = "1"] = header.exec(reader.next())!
  const mark = reader.mark()
  const before = used.lines
  const place = { _tag: "line", line: Number(start) } as const
  const counted = readBody(reader, used, counting(Number(oldCount), Number(newCount)))
  if (counted !== undefined && !continues(reader)) return { lines: counted, place }
  const isCut = counted === undefined && reader.isAtEnd
  // Models and people miscount. The comparison with the file checks the lines anyway.
  reader.back(mark)
  used.lines = before
  const recounted = readBody(reader, used, { isOver: () => endsHunk(reader), accepts: () => true }) ?? []
  if (isCut) {
    const without = (sign: HunkLine["sign"]) => recounted.filter((line) => line.sign !== sign).length
    reader.back(first)
    reader.fail(
      `the header says ${oldCount} old and ${newCount} new lines, there are ${without("+")} and ${without("-")}; ` +
        "was it cut? correct the header or give the rest"
    )
  }
  if (recounted.length === 0) return reader.fail("this is no line of a hunk")
  return { lines: recounted, place }
}

interface Extent {
  readonly isOver: () => boolean
  /** Whether a line with this sign still belongs to the hunk. */
  readonly accepts: (sign: HunkLine["sign"]) => boolean
}

const counting = (oldCount: number, newCount: number): Extent => {
  let [oldLeft, newLeft] = [oldCount, newCount]
  return {
    isOver: () => oldLeft <= 0 && newLeft <= 0,
    accepts: (sign) => {
      if (sign !== "+") oldLeft--
      if (sign !== "-") newLeft--
      return oldLeft >= 0 && newLeft >= 0
    }
  }
}

/** The lines up to the end of the extent. `undefined` if another line precedes the end. */
const readBody = (reader: LineReader, used: Used, extent: Extent): Array<HunkLine> | undefined => {
  const lines: Array<HunkLine> = []
  while (!extent.isOver()) {
    const line = reader.peek()
    if (line === undefined) return undefined
    const sign = signOf(line)
    if (sign === undefined || !extent.accepts(sign)) return undefined
    countLine(reader, used)
    const hasFeed = !(reader.peek()?.startsWith("\\") ?? false)
    if (!hasFeed) reader.skip()
    lines.push({ sign, text: textOf(line) + (hasFeed ? "\n" : "") })
  }
  return lines
}

/** An empty line counts as an empty line of context, because many programs trim their output. */
const signOf = (line: string): HunkLine["sign"] | undefined => {
  const sign = line === "" || line === "\r" ? " " : line[0]
  return sign === " " || sign === "-" || sign === "+" ? sign : undefined
}

/** The text of a hunk's line after its sign. A trimmed empty line has no sign, and may end in CRLF. */
export const textOf = (line: string) => line === "\r" ? line : line.slice(1)

/** Whether the hunk has another line after its stated end. */
const continues = (reader: LineReader) => {
  const line = reader.peek()
  return line !== undefined && line !== "" && /^[-+ ]/.test(line) && !isNamePair(reader) && !isSignature(line)
}

const endsHunk = (reader: LineReader) => {
  const line = reader.peek()
  if (line === undefined || signOf(line) === undefined) return true
  if (isNamePair(reader) || isSignature(line)) return true
  // An empty line is context only when more of the hunk follows.
  if (line !== "" && line !== "\r") return false
  const second = reader.peekSecond()
  return second === undefined || !/^[-+ ]/.test(second) || second.startsWith("--- ") || isSignature(second)
}

/** Whether the next two lines name a file before and after (`---` and `+++`). */
export const isNamePair = (reader: LineReader) =>
  reader.peek()?.startsWith("--- ") === true && reader.peekSecond()?.startsWith("+++ ") === true

/** Last line of a patch of git format-patch. */
const isSignature = (line: string) => /^-- ?\r?$/.test(line)
