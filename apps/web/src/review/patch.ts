import { pathBytes, pathText } from "../../../../src/contract/text/path-text.ts"

/** A line of a file's diff. `old` and `new` are line numbers. */
export interface DiffLine {
  readonly sign: " " | "+" | "-" | "\\"
  readonly text: string
  readonly old?: number
  readonly new?: number
}

export interface DiffHunk {
  /** `@@ -1,2 +1,3 @@`, and the text that git puts after it. */
  readonly header: string
  readonly lines: ReadonlyArray<DiffLine>
}

/** A file of a patch. */
export interface PatchPart {
  /** Path after the change, or of a deletion before it, as in `DiffFile`. */
  readonly path: string
  /** The lines before the first hunk. */
  readonly head: ReadonlyArray<string>
  readonly isBinary: boolean
  readonly hunks: ReadonlyArray<DiffHunk>
  readonly lineCount: number
}

const HUNK = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/

/** The lines of one hunk, by the counts of its header: a line of content may look like a header. */
const hunkFrom = (
  lines: ReadonlyArray<string>,
  at: number,
  [header, oldAt, oldCount = "1", newAt, newCount = "1"]: ReadonlyArray<string>
) => {
  const found: Array<DiffLine> = []
  let [old, next] = [Number(oldAt), Number(newAt)]
  let [oldLeft, newLeft] = [Number(oldCount), Number(newCount)]
  let end = at
  while (end < lines.length) {
    const line = lines[end]!
    const sign = line[0]
    const isOver = oldLeft <= 0 && newLeft <= 0
    if (isOver && sign !== "\\") break
    const text = line.slice(1)
    if (sign === "-") {
      found.push({ sign, text, old: old++ })
      oldLeft--
    } else if (sign === "+") {
      found.push({ sign, text, new: next++ })
      newLeft--
    } else if (sign === "\\") found.push({ sign, text })
    else if (sign === " " || line === "") {
      found.push({ sign: " ", text, old: old++, new: next++ })
      oldLeft--
      newLeft--
    } else break
    end++
  }
  return { hunk: { header: header!, lines: found }, end }
}

/** A name after `a/` or `b/`, plain or quoted. Git ends a name that has a blank with a tab. */
const nameIn = (text: string) => text.replace(/\t$/, "").replace(/^("?)[ab]\//, "$1")

/** A path in the form of lists of files, which quote less than a patch. */
const asListed = (path: string) => {
  const bytes = pathBytes(path)
  return bytes === undefined ? path : pathText(bytes)
}

/** The path of a part. `diff --git` alone names it if nothing but its mode changed, and then twice. */
const pathIn = (head: ReadonlyArray<string>) => {
  const after = (start: string) => head.find((line) => line.startsWith(start))?.slice(start.length)
  const renamed = after("rename to ") ?? after("copy to ")
  if (renamed !== undefined) return renamed
  const [to, from] = [after("+++ "), after("--- ")]
  if (to !== undefined && !to.startsWith("/dev/null")) return nameIn(to)
  if (from !== undefined && !from.startsWith("/dev/null")) return nameIn(from)
  const both = (head[0] ?? "").slice("diff --git ".length)
  return nameIn(both.slice((both.length + 1) / 2))
}

/** The parts of a patch in git's form, in order. The last one may be cut. */
const partsOf = (patch: string): ReadonlyArray<PatchPart> => {
  const lines = patch.split("\n")
  // The patch ends with a line feed.
  if (lines.at(-1) === "") lines.pop()
  const parts: Array<PatchPart> = []
  let at = 0
  while (at < lines.length) {
    const head: Array<string> = []
    const hunks: Array<DiffHunk> = []
    head.push(lines[at++]!)
    let isBinary = false
    while (at < lines.length && !lines[at]!.startsWith("diff --git ")) {
      const line = lines[at]!
      const match = HUNK.exec(line)
      if (match === null) {
        if (line.startsWith("GIT binary patch") || line.startsWith("Binary files ")) isBinary = true
        if (!isBinary) head.push(line)
        at++
        continue
      }
      const { end, hunk } = hunkFrom(lines, at + 1, [line, ...match.slice(1)] as ReadonlyArray<string>)
      hunks.push(hunk)
      at = end
    }
    parts.push({
      path: asListed(pathIn(head)),
      head,
      isBinary,
      hunks,
      lineCount: hunks.reduce((sum, { lines }) => sum + lines.length + 1, 0)
    })
  }
  return parts
}

/** The parts by path. A file that became a link has two in a patch, which are one here. */
export const partsByPath = (patch: string, isCut: boolean): ReadonlyMap<string, PatchPart> => {
  const parts = partsOf(patch)
  const found = new Map<string, PatchPart>()
  // The last part of a cut patch would look complete.
  for (const part of isCut ? parts.slice(0, -1) : parts) {
    const { hunks = [], lineCount = 0, isBinary = false } = found.get(part.path) ?? {}
    found.set(part.path, {
      ...part,
      isBinary: isBinary || part.isBinary,
      hunks: [...hunks, ...part.hunks],
      lineCount: lineCount + part.lineCount
    })
  }
  return found
}

/** Lines of a hunk in two columns: removed lines stand beside those that replace them. */
export const paired = (lines: ReadonlyArray<DiffLine>): ReadonlyArray<readonly [left?: DiffLine, right?: DiffLine]> => {
  const rows: Array<readonly [left?: DiffLine | undefined, right?: DiffLine | undefined]> = []
  let removed: Array<DiffLine> = []
  let added: Array<DiffLine> = []
  const flush = () => {
    for (let at = 0; at < Math.max(removed.length, added.length); at++) rows.push([removed[at], added[at]])
    removed = []
    added = []
  }
  for (const line of lines) {
    if (line.sign === "-") {
      if (added.length > 0) flush()
      removed.push(line)
    } else if (line.sign === "+") added.push(line)
    else if (line.sign === "\\") {
      // It belongs to the line before, on that line's side.
      if (added.length > 0) added.push(line)
      else if (removed.length > 0) removed.push(line)
      else rows.push([line, line])
    } else {
      flush()
      rows.push([line, line])
    }
  }
  flush()
  return rows as ReadonlyArray<readonly [left?: DiffLine, right?: DiffLine]>
}
