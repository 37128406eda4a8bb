import { printable } from "../../../../src/contract/text/printable.ts"
import type { DiffHunk, DiffLine, PatchPart } from "../review/patch.ts"
import { type Comment, type Place, quoted } from "./comment.ts"

/** Comments on one changed file. */
export interface FileComments {
  readonly onFile: ReadonlyArray<Comment>
  readonly onLines: ReadonlyMap<DiffLine, ReadonlyArray<Comment>>
  /** Comments whose hunk has changed since, or is not in the shown patch. */
  readonly outdated: ReadonlyArray<Comment>
}

/** Where the comments on a workspace stand in a diff. */
export interface Placement {
  readonly byPath: ReadonlyMap<string, FileComments>
  /** Comments on files that the diff does not have. */
  readonly gone: ReadonlyArray<Comment>
}

const digests = new WeakMap<DiffHunk, Promise<string>>()

const digestNow = async ({ lines }: DiffHunk) => {
  const bytes = new TextEncoder().encode(lines.map(({ sign, text }) => `${sign}${text}\n`).join(""))
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("")
}

const digestOf = (hunk: DiffHunk): Promise<string> => {
  const known = digests.get(hunk)
  if (known !== undefined) return known
  const digest = digestNow(hunk)
  digests.set(hunk, digest)
  return digest
}

/** Number of a line in the new file, or of a removed line in the old one. */
export const numberOf = ({ new: now, old }: DiffLine): number => now ?? old ?? 0

/** The place of a comment on a line. */
export const placeOf = async (hunk: DiffHunk, line: DiffLine): Promise<Place> => ({
  hunk: await digestOf(hunk),
  at: hunk.lines.indexOf(line),
  sign: line.sign === "\\" ? " " : line.sign,
  line: numberOf(line),
  quote: quoted(line.text)
})

/** The line that a place means now: of hunks with the same lines, the one that is nearest to the place. */
const lineAt = async ({ at, hunk: digest, line: number }: Place, { hunks }: PatchPart) => {
  let nearest: DiffLine | undefined
  for (const hunk of hunks) {
    const line = hunk.lines[at]
    if (line === undefined || await digestOf(hunk) !== digest) continue
    if (nearest === undefined || Math.abs(numberOf(line) - number) < Math.abs(numberOf(nearest) - number)) {
      nearest = line
    }
  }
  return nearest
}

/** Puts comments on one file into its part of the patch. */
const inFile = async (comments: ReadonlyArray<Comment>, part: PatchPart | undefined): Promise<FileComments> => {
  const onFile: Array<Comment> = []
  const onLines = new Map<DiffLine, Array<Comment>>()
  const outdated: Array<Comment> = []
  for (const comment of comments) {
    if (comment.on === undefined) onFile.push(comment)
    else {
      const line = part && await lineAt(comment.on, part)
      if (line === undefined) outdated.push(comment)
      else onLines.set(line, [...onLines.get(line) ?? [], comment])
    }
  }
  return { onFile, onLines, outdated }
}

/** Puts comments into a diff of files. */
export const placed = async (
  comments: ReadonlyArray<Comment>,
  files: ReadonlyArray<{ readonly path: string }>,
  parts: ReadonlyMap<string, PatchPart>
): Promise<Placement> => {
  const known = new Set(files.map(({ path }) => path))
  const byPath = new Map<string, FileComments>()
  for (const path of new Set(comments.map(({ file }) => file))) {
    if (known.has(path)) byPath.set(path, await inFile(comments.filter(({ file }) => file === path), parts.get(path)))
  }
  return { byPath, gone: comments.filter(({ file }) => !known.has(file)) }
}

export const countIn = ({ onFile, onLines, outdated }: FileComments): number =>
  [...onLines.values()].reduce((sum, { length }) => sum + length, onFile.length + outdated.length)

const block = ({ file, on, text }: Comment, note: string, line = on?.line) =>
  `${printable(file)}${line === undefined ? "" : `:${line}`}${note}\n${
    on === undefined ? "" : `> ${printable(on.quote)}\n`
  }${text}\n`

const ofFile = ({ onFile, onLines, outdated }: FileComments, part: PatchPart | undefined) => [
  ...onFile.map((comment) => block(comment, "")),
  ...(part?.hunks ?? []).flatMap(({ lines }) =>
    lines.flatMap((line) =>
      (onLines.get(line) ?? []).map((comment) =>
        block(comment, line.sign === "-" ? " (removed line)" : "", numberOf(line))
      )
    )
  ),
  ...outdated.map((comment) => block(comment, " (outdated)"))
]

/** Comments as text for an agent, in the order of the diff: FILE:LINE, the line, and what the person says. Comments never saved are left out. */
export const commentsText = (
  { byPath, gone }: Placement,
  files: ReadonlyArray<{ readonly path: string }>,
  parts: ReadonlyMap<string, PatchPart>
): string =>
  [
    ...files.flatMap(({ path }) => {
      const own = byPath.get(path)
      return own === undefined ? [] : ofFile(own, parts.get(path))
    }),
    ...gone.map((comment) => block(comment, " (outdated)"))
  ].join("\n")
