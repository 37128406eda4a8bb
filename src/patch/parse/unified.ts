import { type FilePatch, limits, type Patch } from "../patch.ts"
import { readGitFile } from "./git.ts"
import { commonPath, type LineName, nameOfLine, withoutPrefix } from "./header-names.ts"
import { isHunkHeader, readHunks, type Used } from "./hunks.ts"
import type { LineReader } from "./line-reader.ts"

/** Reads a git patch or the output of `diff -u`. Skips text before, between and behind its files. */
export const parseUnified = (reader: LineReader): Patch => {
  const used: Used = { hunks: 0, lines: 0, inflated: 0 }
  const files: Array<FilePatch> = []
  while (!reader.isAtEnd) {
    const line = reader.peek()!
    if (line.startsWith("diff --git ")) files.push(readGitFile(reader, used))
    else if (line.startsWith("--- ") && reader.peekSecond()?.startsWith("+++ ")) files.push(readPlainFile(reader, used))
    else if (isHunkHeader(line)) reader.fail("a hunk without the names of a file (--- and +++) before it")
    else if (/^@@@ |^diff --cc |^diff --combined /.test(line)) reader.fail("diffs of merges cannot be applied")
    else if (/^Binary files .* differ\r?$/.test(line)) reader.fail("it leaves out a binary file's content")
    else reader.skip()
    if (files.length > limits.files) reader.fail(`it is about more than ${limits.files} files`)
  }
  return { files }
}

const readPlainFile = (reader: LineReader, used: Used): FilePatch => {
  const old = nameOfLine(reader.take().slice(4))
  const now = nameOfLine(reader.take().slice(4))
  if (!isHunkHeader(reader.peek())) return reader.fail("no hunk (@@ -1,2 +1,2 @@) follows the names of a file")
  const path = pathOf(old, now)
  if (path === undefined) return reader.fail("its two names are of different files; a rename needs git's headers")
  const start = reader.peek()!
  const isNew = old.name === undefined || (old.isEpoch && / -0,0 /.test(start))
  const isDeleted = now.name === undefined || (now.isEpoch && / \+0,0 /.test(start))
  if (isNew && isDeleted) return reader.fail("it both creates and deletes a file")
  return {
    from: isNew ? undefined : path,
    to: isDeleted ? undefined : path,
    isCopy: false,
    oldMode: undefined,
    newMode: undefined,
    content: { _tag: "hunks", hunks: readHunks(reader, used) }
  }
}

const pathOf = (old: LineName, now: LineName) => {
  if (old.name !== undefined && now.name !== undefined) return commonPath(old.name, now.name)
  if (now.name !== undefined) return withoutPrefix(now.name, "b")
  return old.name === undefined ? undefined : withoutPrefix(old.name, "a")
}
