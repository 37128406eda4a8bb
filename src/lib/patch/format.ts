import { Effect } from "effect"
import { patchLimits } from "../../contract/rows/workspace-patch.ts"
import { GIT_LINK } from "../../contract/text/git-mode.ts"
import { blobName, deflate, deflateBeside } from "../../system/files/git-blob.ts"
import { yieldToEventLoop } from "../../system/waits/effects.ts"
import { clockReader } from "../../system/waits/time.ts"
import { countLines, type DifferingPart, differingPart } from "./format/differing-part.ts"
import { CONTEXT, type DiffBudget, diffBudget, textDiff } from "./format/text-diff.ts"
import { quoted } from "./model/file-names.ts"
import { bytesOf, byteString, type Change, type Side } from "./model/patch.ts"
import { encodeBase85, LINE_BYTES } from "./text/base85.ts"

export { countLines } from "./format/differing-part.ts"

/** Maximum bytes to deflate at once: 20 ms. */
const MOST_IN_LINE = 1024 * 1024

/** Maximum time to format before sockets and timers get a turn. */
const TURN_MS = 10

/** Gives every piece of the patch of some changes to `use`. Yields to other work between pieces and during long ones. */
export const forEachPiece = (changes: ReadonlyArray<Change>, use: (piece: Uint8Array, change: Change) => void) =>
  Effect.gen(function*() {
    const budget = diffBudget()
    const { monotonicMs } = yield* clockReader
    let pauseAtMs = monotonicMs() + TURN_MS
    for (const change of changes) {
      const deflated = yield* deflateLarge(change)
      for (const piece of changePieces(change, budget, deflated)) {
        if (piece.length > 0) use(piece, change)
        if (monotonicMs() < pauseAtMs) continue
        yield* yieldToEventLoop
        pauseAtMs = monotonicMs() + TURN_MS
      }
    }
  })

const deflateLarge = ({ after, before }: Change) =>
  Effect.gen(function*() {
    const deflated = new Map<Uint8Array, Uint8Array>()
    const sides = [before, after].flatMap((side) => side === undefined ? [] : [side.content])
    const large = sides.filter(({ length }) => length > MOST_IN_LINE)
    const empty = new Uint8Array(0)
    if (large.length === 0 || textPart(before?.content ?? empty, after?.content ?? empty) !== undefined) return deflated
    for (const content of large) {
      deflated.set(content, yield* Effect.promise(() => deflateBeside(content)))
    }
    return deflated
  })

/**
 * Maximum bytes of the differing part, of both sides together. A larger one is written as binary: its lines would exceed a patch's
 * limit, and their comparison would take seconds.
 */
const MAX_TEXT_BYTES = patchLimits.bytes
/** Maximum lines of the differing part on each side. */
const MAX_TEXT_LINES = 250_000
/** Bytes to encode in base 85 at once, a multiple of a line's. */
const SLICE_BYTES = 20_000 * LINE_BYTES
const NO_BLOB = "0".repeat(40)

/** Deflated forms of contents that were made before. */
type Deflated = ReadonlyMap<Uint8Array, Uint8Array>

/** A change's part of a patch for `git apply`, in pieces made on demand. One budget is for the whole patch. */
export function* changePieces(
  change: Change,
  budget: DiffBudget,
  deflated: Deflated
): Generator<Uint8Array, void> {
  for (const one of oneTypeEach(change)) {
    for (const piece of piecesOf(one, budget, deflated)) yield typeof piece === "string" ? bytesOf(piece) : piece
  }
}

/** A change between a file and a link is a deletion and a creation. */
const oneTypeEach = (change: Change): ReadonlyArray<Change> => {
  const { after, before, from, path } = change
  if (before === undefined || after === undefined) return [change]
  if ((before.mode === GIT_LINK) === (after.mode === GIT_LINK)) return [change]
  return [{ path: from ?? path, before, after: undefined }, { path, before: undefined, after }]
}

const octal = (mode: number) => mode.toString(8)

type Piece = string | Uint8Array

function* piecesOf(change: Change, budget: DiffBudget, deflated: Deflated): Generator<Piece, void> {
  const { after, before } = change
  const to = byteString(change.path)
  const from = change.from === undefined ? to : byteString(change.from)
  if (before === undefined && after === undefined) return
  const content = yield* contentOf(before, after, { from, to }, budget, deflated)
  const isSame = content.body === undefined && before?.mode === after?.mode && from === to
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
  if (content.body !== undefined) yield* content.body
}

interface Content {
  /** Names of the contents before and after; undefined when they are equal. */
  readonly index: string | undefined
  /** Common share of both contents, in percent. */
  readonly similarity: number
  /** The lines after the headers. `undefined` without a change of content. */
  readonly body: Iterable<Piece> | undefined
}

function* contentOf(
  before: Side | undefined,
  after: Side | undefined,
  names: { readonly from: string; readonly to: string },
  budget: DiffBudget,
  deflated: Deflated
): Generator<Piece, Content> {
  const [old, now] = [before?.content ?? new Uint8Array(0), after?.content ?? new Uint8Array(0)]
  if (before !== undefined && after !== undefined && Buffer.compare(old, now) === 0) {
    return { index: undefined, similarity: 100, body: undefined }
  }
  const [oldName, newName] = [before, after].map((side) => side === undefined ? NO_BLOB : blobName(side.content))
  const index = `${oldName}..${newName}`
  if (old.length === 0 && now.length === 0) return { index, similarity: 100, body: undefined }
  const a = before === undefined ? "/dev/null" : nameLine(`a/${names.from}`)
  const b = after === undefined ? "/dev/null" : nameLine(`b/${names.to}`)
  const part = textPart(old, now)
  if (part === undefined) return { index, similarity: 50, body: binaryBody(old, now, deflated) }
  const { newEnd, oldEnd, start } = part
  const { hunks, kept } = yield* textDiff(
    byteString(old.subarray(start, oldEnd)),
    byteString(now.subarray(start, newEnd)),
    budget,
    countLines(old, 0, start)
  )
  const keptBytes = kept + start + old.length - oldEnd
  // 100 % means equal contents.
  const similarity = Math.min(99, Math.floor(100 * keptBytes / Math.max(old.length, now.length, 1)))
  return { index, similarity, body: [`--- ${a}\n+++ ${b}\n`, hunks] }
}

/** git 2.39 rejects a header with a space before a slash, unless the name is in quotes. */
const headerName = (name: string) => name.includes(" /") ? quoted(name, "always") : quoted(name)

/** A tab ends a name with a space. Otherwise a reader could parse the rest as a date. */
const nameLine = (name: string) => {
  const written = quoted(name)
  return written === name && name.includes(" ") ? `${name}\t` : written
}

/** The part of two contents to write as a text diff; undefined for contents to write as binary. */
const textPart = (old: Uint8Array, now: Uint8Array): DifferingPart | undefined => {
  if (old.includes(0) || now.includes(0)) return undefined
  const part = differingPart(old, now, CONTEXT)
  const { newEnd, oldEnd, start } = part
  if (oldEnd - start + newEnd - start > MAX_TEXT_BYTES) return undefined
  const isLong = (content: Uint8Array, end: number) =>
    countLines(content, start, end, MAX_TEXT_LINES + 1) > MAX_TEXT_LINES
  return isLong(old, oldEnd) || isLong(now, newEnd) ? undefined : part
}

function* binaryBody(old: Uint8Array, now: Uint8Array, deflated: Deflated): Generator<Piece> {
  yield "GIT binary patch\n"
  yield* literal(now, deflated)
  yield "\n"
  yield* literal(old, deflated)
  yield "\n"
}

function* literal(content: Uint8Array, deflated: Deflated): Generator<Piece> {
  yield `literal ${content.length}\n`
  const bytes = deflated.get(content) ?? deflate(content)
  for (let at = 0; at < bytes.length; at += SLICE_BYTES) yield encodeBase85(bytes.subarray(at, at + SLICE_BYTES))
}
