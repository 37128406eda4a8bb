import type { FileContent, FilePatch, GitMode } from "../patch.ts"
import { readQuoted } from "../text/quoted.ts"
import { readBinary } from "./binary.ts"
import { commonPath, nameOfLine, pathOfGitLine, withoutPrefix } from "./header-names.ts"
import { isHunkHeader, readHunks, type Used } from "./hunks.ts"
import type { LineReader } from "./line-reader.ts"

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
export const readGitFile = (reader: LineReader, used: Used): FilePatch => {
  const start = reader.mark()
  const path = pathOfGitLine(reader.take().slice("diff --git ".length))
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
  if (mode >> 12 === 0o10) return mode & 0o100 ? 0o100755 : 0o100644
  if (mode === 0o120000) return mode
  return reader.fail(mode === 0o160000 ? "it changes a submodule" : `${text} is no mode of a file or link`)
}

interface Names {
  readonly from: string | undefined
  readonly to: string | undefined
}

const readNames = (reader: LineReader): Names | undefined => {
  if (!reader.peek()?.startsWith("--- ") || !reader.peekSecond()?.startsWith("+++ ")) return undefined
  const from = nameOfLine(reader.take().slice(4)).name
  const to = nameOfLine(reader.take().slice(4)).name
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
