import { blobName, deflate } from "../../system/git-blob.ts"
import type { Change, Side } from "../change.ts"
import { encodeBase85 } from "./base85.ts"
import { bytesOf, byteString } from "./bytes.ts"
import { quoted } from "./quoted.ts"
import { type DiffBudget, textDiff } from "./text-diff.ts"

/** A file larger than this crosses as binary: a text diff of it takes seconds and is for nobody's eyes. */
const MAX_TEXT_BYTES = 32 * 1024 * 1024
const NO_BLOB = "0".repeat(40)
const SYMLINK = 0o120000

export interface FormatOptions {
  /** A content deflated, where that has been done before. @default none has */
  readonly deflated?: ((content: Uint8Array) => Uint8Array | undefined) | undefined
}

/** A change's part of a git-style patch that `git apply` takes, in pieces, made as they are asked for. The budget is the whole patch's. */
export function* changePieces(
  change: Change,
  budget: DiffBudget,
  options: FormatOptions = {}
): Generator<Uint8Array, void> {
  for (const one of oneTypeEach(change)) {
    for (const piece of piecesOf(one, budget, options)) yield typeof piece === "string" ? bytesOf(piece) : piece
  }
}

/** A file that became a link, or a link a file, is a deletion and a creation. */
const oneTypeEach = (change: Change): ReadonlyArray<Change> => {
  const { after, before, from, path } = change
  if (before === undefined || after === undefined) return [change]
  if ((before.mode === SYMLINK) === (after.mode === SYMLINK)) return [change]
  return [{ path: from ?? path, before, after: undefined }, { path, before: undefined, after }]
}

const octal = (mode: number) => mode.toString(8)

type Piece = string | Uint8Array

function* piecesOf(change: Change, budget: DiffBudget, options: FormatOptions): Generator<Piece, void> {
  const { after, before } = change
  const to = byteString(change.path)
  const from = change.from === undefined ? to : byteString(change.from)
  if (before === undefined && after === undefined) return
  const content = contentOf(before, after, { from, to }, budget, options)
  const isSame = content.body.length === 0 && before?.mode === after?.mode && from === to
  if (isSame && before !== undefined && after !== undefined) return
  yield `diff --git ${headerName(`a/${from}`)} ${headerName(`b/${to}`)}\n`
  if (before === undefined) yield `new file mode ${octal(after!.mode)}\n`
  else if (after === undefined) yield `deleted file mode ${octal(before.mode)}\n`
  else if (before.mode !== after.mode) yield `old mode ${octal(before.mode)}\nnew mode ${octal(after.mode)}\n`
  if (from !== to) {
    yield `similarity index ${content.similarity}%\nrename from ${quoted(from)}\nrename to ${quoted(to)}\n`
  }
  if (content.index !== undefined) {
    yield `index ${content.index}${before?.mode === after?.mode ? ` ${octal(before!.mode)}` : ""}\n`
  }
  yield* content.body
}

interface Content {
  /** Names of the contents before and after; undefined when they are equal. */
  readonly index: string | undefined
  /** What both have in common, in percent. */
  readonly similarity: number
  /** What follows the headers; empty when there is nothing to say about the content. */
  readonly body: ReadonlyArray<Piece>
}

const contentOf = (
  before: Side | undefined,
  after: Side | undefined,
  names: { readonly from: string; readonly to: string },
  budget: DiffBudget,
  options: FormatOptions
): Content => {
  const [old, now] = [before?.content ?? new Uint8Array(0), after?.content ?? new Uint8Array(0)]
  if (before !== undefined && after !== undefined && Buffer.compare(old, now) === 0) {
    return { index: undefined, similarity: 100, body: [] }
  }
  const [oldName, newName] = [before, after].map((side) => side === undefined ? NO_BLOB : blobName(side.content))
  const index = `${oldName}..${newName}`
  if (old.length === 0 && now.length === 0) return { index, similarity: 100, body: [] }
  const a = before === undefined ? "/dev/null" : nameLine(`a/${names.from}`)
  const b = after === undefined ? "/dev/null" : nameLine(`b/${names.to}`)
  if (isBinary(old) || isBinary(now)) {
    const body = [`GIT binary patch\n`, ...literal(now, options), "\n", ...literal(old, options), "\n"]
    return { index, similarity: 50, body }
  }
  const { hunks, kept } = textDiff(byteString(old), byteString(now), budget)
  // 100 % is said of equal contents alone.
  const similarity = Math.min(99, Math.floor(100 * kept / Math.max(old.length, now.length, 1)))
  return { index, similarity, body: [`--- ${a}\n+++ ${b}\n`, hunks] }
}

/** A space before a slash makes git 2.39 give up on a header, unless the name is in quotes. */
const headerName = (name: string) => name.includes(" /") ? quoted(name, "always") : quoted(name)

/** A name with a space in it ends with a tab, lest what follows the space be taken for a date. */
const nameLine = (name: string) => {
  const written = quoted(name)
  return written === name && name.includes(" ") ? `${name}\t` : written
}

/** Whether a content crosses as binary. */
export const isBinary = (content: Uint8Array) => content.length > MAX_TEXT_BYTES || content.includes(0)

const literal = (content: Uint8Array, { deflated }: FormatOptions): ReadonlyArray<Piece> => [
  `literal ${content.length}\n`,
  encodeBase85(deflated?.(content) ?? deflate(content))
]
