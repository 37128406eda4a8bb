import { count } from "../contract/text/count.ts"
import { isContinuation } from "../contract/text/utf8.ts"
import { costOf, MAX_TEXT_CHARACTERS } from "./bounded.ts"

export type OutputName = "stdout" | "stderr"

export interface OutputPiece {
  readonly from: OutputName
  readonly bytes: Uint8Array
  /** Cursor after it. */
  readonly next: number
  /** Cursor before a piece that replaces other bytes of the output. It is shown whole or not at all. */
  readonly begin?: number
}

const beginOf = ({ begin, bytes, next }: OutputPiece) => begin ?? next - bytes.length

/** A command's output as it is shown. */
interface ShownOutput {
  readonly stdout: string
  readonly stderr: string
  /** The missing middle, as cursors of both streams together. */
  readonly omitted: { readonly from: number; readonly to: number } | undefined
  /** Cursor after the last byte. */
  readonly next: number
}

/** Share of the beginning; errors and verdicts come at the end. */
const HEAD_SHARE = 0.3

const NEWLINE = 0x0a

/** Characters of JSON for `\x1b`, whose backslash JSON doubles. */
const ESCAPE_COST = 5

/** Maximum characters of JSON for a byte. At least one, because any byte may be invalid UTF-8. */
const byteCosts = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte < 0x20 || byte === 0x7f) return byte === 0x09 || byte === NEWLINE ? 2 : ESCAPE_COST
  return byte === 0x22 || byte === 0x5c ? 2 : 1
})

/** Characters in UTF-8, a byte a character, for which `readableText` may write an escape of up to nine characters. */
const ESCAPED = new RegExp(
  String.raw`\xc2[\x80-\x9f\xad]|\xcd\x8f|\xd8\x9c|\xe1(?:\x85[\x9f\xa0]|\x9e[\xb4\xb5]|\xa0\x8e)|` +
    String.raw`\xe2(?:\x80[\x8b-\x8f\xa8-\xae]|\x81[\xa0-\xaf]|\xa0\x80)|\xe3\x85\xa4|` +
    String.raw`\xef(?:\xb8[\x80-\x8f]|\xbb\xbf|\xbe\xa0|\xbf[\xb9-\xbb])|\xf3\xa0[\x80-\xbf]{2}`,
  "g"
)

/** Maximum characters of JSON for each byte of an output. The first byte of a character has the cost of its escape. */
export const costsOf = (bytes: Uint8Array): Uint8Array => {
  const costs = bytes.map((byte) => byteCosts[byte]!)
  const latin = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1")
  for (const { 0: found, index } of latin.matchAll(ESCAPED)) {
    costs[index] = costOf(Buffer.from(found, "latin1").toString("utf8")) - (found.length - 1)
  }
  return costs
}

/** A beginning of at most `budget` characters. Ends with a near line end if there is one, and never within a character. */
export const firstOf = (pieces: ReadonlyArray<OutputPiece>, budget: number): ReadonlyArray<OutputPiece> => {
  const taken: Array<OutputPiece> = []
  let cost = 0
  for (const piece of pieces) {
    const { bytes } = piece
    const costs = costsOf(bytes)
    for (let at = 0; at < bytes.length; at++) {
      cost += costs[at]!
      if (cost <= budget) continue
      if (piece.begin !== undefined) return taken
      let end = at
      while (end > 0 && isContinuation(bytes[end])) end--
      const line = bytes.lastIndexOf(NEWLINE, end - 1) + 1
      const cut = end > 0 && line > end / 2 ? line : end
      if (cut > 0) taken.push({ ...piece, bytes: bytes.subarray(0, cut), next: piece.next - bytes.length + cut })
      return taken
    }
    taken.push(piece)
  }
  return taken
}

/** The same of the end. */
const lastOf = (pieces: ReadonlyArray<OutputPiece>, budget: number): ReadonlyArray<OutputPiece> => {
  const taken: Array<OutputPiece> = []
  let cost = 0
  for (const piece of [...pieces].reverse()) {
    const { bytes } = piece
    const costs = costsOf(bytes)
    for (let at = bytes.length - 1; at >= 0; at--) {
      cost += costs[at]!
      if (cost <= budget) continue
      if (piece.begin !== undefined) return taken
      let begin = at + 1
      while (isContinuation(bytes[begin])) begin++
      const line = bytes.indexOf(NEWLINE, begin) + 1
      const cut = line > 0 && line - begin < (bytes.length - begin) / 2 ? line : begin
      if (cut < bytes.length) taken.unshift({ ...piece, bytes: bytes.subarray(cut) })
      return taken
    }
    taken.unshift(piece)
  }
  return taken
}

/** Keeps the beginning and the end of a command's output. `from` is the cursor of the first byte. */
export const keepOutput = (from: number, limit = MAX_TEXT_CHARACTERS) => {
  const head: Array<OutputPiece> = []
  const tail: Array<OutputPiece> = []
  const total = { stdout: 0, stderr: 0 }
  let headBytes = 0
  let tailBytes = 0
  let next = from
  /** The cursors between which pieces are not kept. */
  let gap: { readonly from: number; readonly to: number } | undefined

  const widen = (begin: number, end: number) => {
    gap = { from: Math.min(begin, gap?.from ?? begin), to: Math.max(end, gap?.to ?? end) }
  }

  const add = (piece: OutputPiece): void => {
    const begin = beginOf(piece)
    next = Math.max(next, piece.next)
    total[piece.from] += piece.bytes.length
    const fits = Math.min(piece.bytes.length, limit - headBytes)
    const toHead = fits > 0 && piece.begin !== undefined ? piece.bytes.length : fits
    if (toHead === piece.bytes.length) {
      head.push(piece)
      headBytes += toHead
    } else if (toHead > 0) {
      head.push({ ...piece, bytes: piece.bytes.subarray(0, toHead), next: begin + toHead })
      headBytes += toHead
    }
    if (toHead === piece.bytes.length) return
    // A copy: the piece itself is as large as its message.
    const skipped = piece.begin === undefined ? Math.max(toHead, piece.bytes.length - limit) : 0
    if (skipped > toHead) widen(begin + toHead, begin + skipped)
    tail.push({ ...piece, bytes: piece.bytes.slice(skipped) })
    tailBytes += tail.at(-1)!.bytes.length
    while (tailBytes - tail[0]!.bytes.length >= limit) {
      const gone = tail.shift()!
      tailBytes -= gone.bytes.length
      widen(beginOf(gone), gone.next)
    }
  }

  /** `readOn` says how to get the omitted output. */
  const shown = (readOn: (omitted: { readonly from: number; readonly to: number }) => string): ShownOutput => {
    const all = [...head, ...tail]
    const isWhole = headBytes + tailBytes === total.stdout + total.stderr
    if (isWhole && firstOf(all, limit).length === all.length && sizeOf(firstOf(all, limit)) === sizeOf(all)) {
      return { stdout: textOf(all, "stdout"), stderr: textOf(all, "stderr"), omitted: undefined, next }
    }
    const first = firstOf(all, limit * HEAD_SHARE)
    const last = lastOf(all, limit * (1 - HEAD_SHARE))
    // Pieces of two streams may come in another order than their cursors.
    const omitted = {
      from: Math.min(
        first.at(-1)?.next ?? from,
        gap?.from ?? next,
        ...all.slice(first.length, all.length - last.length).map(beginOf)
      ),
      to: Math.max(
        last[0] === undefined ? next : beginOf(last[0]),
        gap?.to ?? 0,
        ...all.slice(first.length, all.length - last.length).map((one) => one.next)
      )
    }
    const outputOf = (name: OutputName) => {
      const [left, right] = [textOf(first, name), textOf(last, name)]
      const missing = total[name] - sizeOf(first, name) - sizeOf(last, name)
      return missing === 0
        ? left + right
        : `${left}${left === "" || left.endsWith("\n") ? "" : "\n"}[... ${count(missing, "byte")} omitted; ${
          readOn(omitted)
        }]\n${right}`
    }
    return { stdout: outputOf("stdout"), stderr: outputOf("stderr"), omitted, next }
  }
  return { add, shown } as const
}

const sizeOf = (pieces: ReadonlyArray<OutputPiece>, name?: OutputName): number =>
  pieces.reduce((sum, { bytes, from }) => name === undefined || from === name ? sum + bytes.length : sum, 0)

export const textOf = (pieces: ReadonlyArray<OutputPiece>, name: OutputName): string => {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
  const texts = pieces.filter(({ from }) => from === name).map(({ bytes }) => decoder.decode(bytes, { stream: true }))
  return texts.join("") + decoder.decode()
}
