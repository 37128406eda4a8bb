import { readQuoted } from "../model/file-names.ts"
import { type FileContent, type FilePatch, type Hunk, type HunkLine, limits, type Patch } from "../model/patch.ts"
import { beginsFile, beginsUnified } from "./git-format.ts"
import { countHunk, countLine, textOf, type Used } from "./hunks.ts"
import type { LineReader } from "./line-reader.ts"

/**
 * Moves to the first line of a V4A patch, past text, a fence or a shell command. Returns false if the text has no such line, or if a
 * unified patch comes first: then the line belongs to the text around that patch.
 */
export const seekV4A = (reader: LineReader): boolean => {
  // After nothing but a fence, the line may be indented.
  for (let isFirst = true; !reader.isAtEnd; reader.skip()) {
    const line = reader.peek()!
    if (beginsV4A(isFirst ? line.replace(/^[ \t\r]+/, "") : line)) return true
    if (beginsUnified(reader)) return false
    isFirst &&= /^[ \t\r]*(```[^`]*)?$/.test(line)
  }
  return false
}

const beginsV4A = (line: string) => /^\*\*\* Begin Patch[ \t\r]*$/.test(line)

/**
 * The format of OpenAI's models. It names files by path, and finds hunks by their text alone. `reader` is at the first line of the
 * patch.
 */
export const parseV4A = (reader: LineReader): Patch => {
  const used: Used = { hunks: 0, lines: 0, inflated: 0 }
  const files: Array<FilePatch> = []
  reader.skip()
  for (;;) {
    const line = reader.peek()
    if (line === undefined) return reader.fail("*** End Patch is missing; was it cut?")
    if (/^\*\*\* End Patch[ \t\r]*$/.test(line)) {
      reader.skip()
      passRest(reader)
      return { files }
    }
    files.push(readFile(reader, used))
    if (files.length > limits.files) reader.fail(`it is about more than ${limits.files} files`)
  }
}

/** Fails if more of the patch follows its end: pyro never applies a part of a patch. */
const passRest = (reader: LineReader) => {
  for (; !reader.isAtEnd; reader.skip()) {
    if (fileLine.test(reader.peek()!)) reader.fail("it goes on after *** End Patch; that line comes once, as the last")
    if (beginsV4A(reader.peek()!) || beginsFile(reader)) reader.fail("a second patch begins here; give one at a time")
  }
}

const fileLine = /^\*\*\* (Add|Update|Delete) File: /
const moveLine = /^\*\*\* Move to: /

// trim() would also remove the byte A0, which is part of many characters.
const trimmed = (text: string) => {
  let [from, to] = [0, text.length]
  while (from < to && " \t\r".includes(text[from]!)) from++
  while (from < to && " \t\r".includes(text[to - 1]!)) to--
  return text.slice(from, to)
}

/** A plain path, or a path in git's quotes. */
const pathOf = (given: string) => {
  const written = trimmed(given)
  const inQuotes = readQuoted(written, 0)
  return inQuotes?.end === written.length ? inQuotes.path : written
}

const readFile = (reader: LineReader, used: Used): FilePatch => {
  const line = reader.peek() ?? ""
  const [head, verb] = fileLine.exec(line) ?? []
  if (head === undefined) {
    return reader.fail("expected *** Add File:, *** Update File:, *** Delete File: or *** End Patch")
  }
  reader.skip()
  const path = pathOf(line.slice(head.length))
  const common = { isCopy: false, oldMode: undefined, newMode: undefined }
  if (verb === "Delete") return { ...common, from: path, to: undefined, content: { _tag: "none", wholly: true } }
  if (verb === "Add") {
    const hunk: Hunk = { lines: readAdded(reader, used), place: { _tag: "line", line: 0 } }
    return { ...common, from: undefined, to: path, content: contentOf(hunk.lines.length === 0 ? [] : [hunk]) }
  }
  const next = reader.peek() ?? ""
  const [toHead] = moveLine.exec(next) ?? []
  const moved = toHead === undefined ? undefined : pathOf(next.slice(toHead.length))
  if (moved !== undefined) reader.skip()
  const hunks: Array<Hunk> = []
  while (!isOver(reader)) {
    countHunk(reader, used)
    hunks.push(readHunk(reader, used))
  }
  if (hunks.length === 0 && moved === undefined) return reader.fail(`nothing is said about how to update ${path}`)
  return { ...common, from: path, to: moved ?? path, content: contentOf(hunks) }
}

const contentOf = (hunks: ReadonlyArray<Hunk>): FileContent =>
  hunks.length === 0 ? { _tag: "none", wholly: false } : { _tag: "hunks", hunks }

const isOver = (reader: LineReader) => {
  const line = reader.peek()
  return line === undefined || /^\*\*\* (End Patch|(Add|Update|Delete) File: )/.test(line)
}

const readAdded = (reader: LineReader, used: Used) => {
  const lines: Array<HunkLine> = []
  while (!isOver(reader)) {
    const line = reader.peek()!
    if (!line.startsWith("+")) reader.fail("each line of an added file begins with +")
    countLine(reader, used)
    lines.push({ sign: "+", text: `${line.slice(1)}\n` })
  }
  return lines
}

const readHunk = (reader: LineReader, used: Used): Hunk => {
  const anchors: Array<string> = []
  while (reader.peek()?.startsWith("@@")) {
    const line = reader.next().replace(/\r$/, "")
    const [, anchor] = /^@@(?: (.*))?$/.exec(line) ?? []
    // Some models close a hunk as a unified diff does, or number it: neither is a line of the file.
    const text = (anchor ?? "").replace(/ @@$/, "")
    if (/[^ \t]/.test(text) && !/^-\d+(,\d+)? \+\d+(,\d+)?$/.test(text)) anchors.push(text)
  }
  const lines: Array<HunkLine> = []
  let atEnd = false
  while (!isOver(reader) && !reader.peek()!.startsWith("@@")) {
    const line = reader.peek()!
    if (/^\*\*\* End of File[ \t\r]*$/.test(line)) {
      reader.skip()
      atEnd = true
      break
    }
    const sign = line === "" || line === "\r" ? " " : line[0]
    if (sign !== " " && sign !== "-" && sign !== "+") {
      return reader.fail("each line of a hunk begins with a space, + or -")
    }
    countLine(reader, used)
    lines.push({ sign, text: `${textOf(line)}\n` })
  }
  if (lines.length === 0) return reader.fail("a hunk without lines")
  return { lines, place: { _tag: "after", anchors, atEnd } }
}
