import { isHunkHeader } from "./hunks.ts"
import type { LineReader } from "./line-reader.ts"

/**
 * Moves to the first line of a V4A patch, past text, a fence or a shell command. False without one, or if a unified patch comes
 * first: such a line then belongs to the text around that patch.
 */
export const seekV4A = (reader: LineReader): boolean => {
  // Behind a fence alone the line may be indented.
  for (let isFirst = true; !reader.isAtEnd; reader.skip()) {
    const line = reader.peek()!
    if (beginsV4A(isFirst ? line.replace(/^[ \t\r]+/, "") : line)) return true
    if (beginsUnified(reader)) return false
    isFirst &&= /^[ \t\r]*(```[^`]*)?$/.test(line)
  }
  return false
}

/** Whether a whole patch of either notation begins at the next line. */
export const beginsPatch = (reader: LineReader) => beginsV4A(reader.peek()!) || beginsFile(reader)

const beginsV4A = (line: string) => /^\*\*\* Begin Patch[ \t\r]*$/.test(line)

const beginsFile = (reader: LineReader) => {
  const line = reader.peek()!
  return line.startsWith("diff --git ") || (line.startsWith("--- ") && reader.peekSecond()?.startsWith("+++ ") === true)
}

/** A unified patch, or the mail, commit or index line around one. */
const beginsUnified = (reader: LineReader) => {
  const line = reader.peek()!
  return beginsFile(reader) || isHunkHeader(line) ||
    /^(@@@ |diff --(cc|combined) |Binary files .* differ\r?$|Index: |(From|commit) [0-9a-f]{7,64}\b)/.test(line)
}
