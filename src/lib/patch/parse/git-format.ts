import { GIT_EXECUTABLE, GIT_FILE, GIT_LINK, GIT_SUBMODULE } from "../../../contract/text/git-mode.ts"
import { inflateExactly } from "../../../system/files/git-blob.ts"
import { commonPath, type LineName, nameOfLine, pathOfGitLine, readQuoted, withoutPrefix } from "../model/file-names.ts"
import {
  type BinaryContent,
  type FileContent,
  type FilePatch,
  type GitMode,
  limits,
  type Patch
} from "../model/patch.ts"
import { decodeBase85Line } from "../text/base85.ts"
import { isHunkHeader, isNamePair, readHunks, type Used } from "./hunks.ts"
import type { LineReader } from "./line-reader.ts"

/** Reads a git patch or the output of `diff -u`. Skips text before, between and after its files. */
export const parseUnified = (reader: LineReader): Patch => {
  const used: Used = { hunks: 0, lines: 0, inflated: 0 }
  const files: Array<FilePatch> = []
  while (!reader.isAtEnd) {
    const line = reader.peek()!
    if (line.startsWith("diff --git ")) files.push(readGitFile(reader, used))
    else if (isNamePair(reader)) files.push(readPlainFile(reader, used))
    else if (isHunkHeader(line)) reader.fail("a hunk without the names of a file (--- and +++) before it")
    else if (/^@@@ |^diff --cc |^diff --combined /.test(line)) reader.fail("diffs of merges cannot be applied")
    else if (/^Binary files .* differ\r?$/.test(line)) reader.fail("it leaves out a binary file's content")
    else reader.skip()
    if (files.length > limits.files) reader.fail(`it is about more than ${limits.files} files`)
  }
  return { files }
}

/** Whether a file's part of a patch begins at the next line. */
export const beginsFile = (reader: LineReader) =>
  reader.peek()?.startsWith("diff --git ") === true || isNamePair(reader)

/** Whether a patch begins at the next line, or a mail, commit or index line that precedes one. */
export const beginsUnified = (reader: LineReader) => {
  const line = reader.peek() ?? ""
  return beginsFile(reader) || isHunkHeader(line) ||
    /^(@@@ |diff --(cc|combined) |Binary files .* differ\r?$|Index: |(From|commit) [0-9a-f]{7,64}\b)/.test(line)
}

const readPlainFile = (reader: LineReader, used: Used): FilePatch => {
  const old = nameOfLine(reader.next().slice(4))
  const now = nameOfLine(reader.next().slice(4))
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

interface Headers {
  oldMode?: GitMode
  newMode?: GitMode
  isNew?: boolean
  isDeleted?: boolean
  isCopy?: boolean
  from?: string
  to?: string
  oldName?: string
  newName?: string
}

/** Reads one file's part of a git patch, from its `diff --git` line on. */
const readGitFile = (reader: LineReader, used: Used): FilePatch => {
  const start = reader.mark()
  const path = pathOfGitLine(reader.next().slice("diff --git ".length))
  const headers = readHeaders(reader)
  const named = readNames(reader)
  const known = headers.from !== undefined || headers.to !== undefined
    ? { from: headers.from, to: headers.to }
    : bothNames(named) ?? (path === undefined ? undefined : { from: path, to: path })
  if (known === undefined) return reader.fail("it does not say which file it is about")
  const [from, to] = [known.from ?? known.to, known.to ?? known.from]
  const isNew = headers.isNew === true || (named !== undefined && named.from === undefined)
  const isDeleted = headers.isDeleted === true || (named !== undefined && named.to === undefined)
  if (isNew && isDeleted) return reader.fail("it both creates and deletes a file")
  const content = readContent(reader, used, headers)
  const changesMode = headers.newMode !== undefined && headers.newMode !== headers.oldMode
  if (content._tag === "none" && !isNew && !isDeleted && !changesMode && from === to && headers.isCopy !== true) {
    reader.back(start)
    return reader.fail("only headers follow, and no change; was the patch cut? give its hunks (@@ -1,2 +1,2 @@)")
  }
  return {
    from: isNew ? undefined : from,
    to: isDeleted ? undefined : to,
    isCopy: headers.isCopy === true,
    oldMode: headers.oldMode,
    newMode: headers.newMode,
    content
  }
}

const readContent = (reader: LineReader, used: Used, { newName, oldName }: Headers): FileContent => {
  const line = reader.peek() ?? ""
  if (isHunkHeader(line)) return { _tag: "hunks", hunks: readHunks(reader, used) }
  if (/^GIT binary patch\r?$/.test(line)) {
    reader.skip()
    return { _tag: "binary", binary: readBinary(reader, used), oldName: full(oldName), newName: full(newName) }
  }
  if (/^(Binary files|Files) .* differ\r?$/.test(line)) {
    return reader.fail("it leaves out a binary file's content; make it with git diff --binary")
  }
  return { _tag: "none", wholly: false }
}

/** An object name as binary patches need it. A short name proves nothing. */
const full = (name: string | undefined) => name?.length === 40 ? name : undefined

const readHeaders = (reader: LineReader): Headers => {
  const headers: Headers = {}
  for (;;) {
    const line = reader.peek()?.replace(/\r$/, "")
    if (line === undefined || !readHeader(line, headers, reader)) return headers
    reader.skip()
  }
}

/** Reads one header. False if the line is not one. */
const readHeader = (line: string, headers: Headers, reader: LineReader): boolean => {
  const [, key, value] =
    /^(old mode|new mode|deleted file mode|new file mode|copy from|copy to|rename from|rename to|index|similarity index|dissimilarity index) (.+)$/
      .exec(line) ?? []
  if (key === undefined || value === undefined) return false
  switch (key) {
    case "old mode":
      headers.oldMode = modeOf(value, reader)
      break
    case "new mode":
      headers.newMode = modeOf(value, reader)
      break
    case "deleted file mode":
      headers.isDeleted = true
      headers.oldMode = modeOf(value, reader)
      break
    case "new file mode":
      headers.isNew = true
      headers.newMode = modeOf(value, reader)
      break
    case "copy from":
    case "rename from":
      headers.from = unquoted(value)
      headers.isCopy = key === "copy from"
      break
    case "copy to":
    case "rename to":
      headers.to = unquoted(value)
      break
    case "index": {
      const [, oldName, newName, mode] = /^([0-9a-f]{4,64})\.\.([0-9a-f]{4,64})(?: (\d+))?$/.exec(value) ?? []
      if (oldName !== undefined) headers.oldName = oldName
      if (newName !== undefined) headers.newName = newName
      if (mode !== undefined) headers.oldMode ??= modeOf(mode, reader)
      break
    }
  }
  return true
}

const unquoted = (value: string) => readQuoted(value, 0)?.path ?? value

const modeOf = (text: string, reader: LineReader): GitMode => {
  const mode = /^\d{1,6}$/.test(text) ? Number.parseInt(text, 8) : 0
  if (mode >> 12 === 0o10) return mode & 0o100 ? GIT_EXECUTABLE : GIT_FILE
  if (mode === GIT_LINK) return mode
  return reader.fail(mode === GIT_SUBMODULE ? "it changes a submodule" : `${text} is no mode of a file or link`)
}

interface Names {
  readonly from: string | undefined
  readonly to: string | undefined
}

const readNames = (reader: LineReader): Names | undefined => {
  if (!isNamePair(reader)) return undefined
  const from = nameOfLine(reader.next().slice(4)).name
  const to = nameOfLine(reader.next().slice(4)).name
  return { from, to }
}

const bothNames = (names: Names | undefined): Names | undefined => {
  if (names?.from !== undefined && names.to !== undefined) {
    const path = commonPath(names.from, names.to)
    return path === undefined ? undefined : { from: path, to: path }
  }
  if (names?.to !== undefined) return { from: undefined, to: withoutPrefix(names.to, "b") }
  return names?.from === undefined ? undefined : { from: withoutPrefix(names.from, "a"), to: undefined }
}

/** Reads the forward part after `GIT binary patch`, and skips the reverse part. */
const readBinary = (reader: LineReader, used: Used): BinaryContent => {
  const forward = readPiece(reader, used)
  if (forward === undefined) return reader.fail("a binary patch has to go on with literal or delta")
  if (/^(literal|delta) \d+\r?$/.test(reader.peek() ?? "")) skipPiece(reader)
  return forward
}

const readPiece = (reader: LineReader, used: Used): BinaryContent | undefined => {
  const [, kind, count] = /^(literal|delta) (\d{1,10})\r?$/.exec(reader.peek() ?? "") ?? []
  if (kind === undefined) return undefined
  reader.skip()
  const size = Number(count)
  used.inflated += size
  if (size > limits.file || used.inflated > limits.inflated) reader.fail("its binary content is too large")
  const pieces: Array<Uint8Array> = []
  for (;;) {
    const line = reader.next().replace(/\r$/, "")
    if (line === "") break
    const bytes = decodeBase85Line(line)
    if (bytes === undefined) return reader.fail("this is no line of a binary patch")
    pieces.push(bytes)
    if (reader.isAtEnd) break
  }
  const bytes = inflateExactly(Buffer.concat(pieces), size)
  if (bytes === undefined) return reader.fail("its binary content is damaged")
  return { kind: kind === "literal" ? "literal" : "delta", bytes }
}

const skipPiece = (reader: LineReader) => {
  reader.skip()
  while (!reader.isAtEnd && reader.next().replace(/\r$/, "") !== "");
}
