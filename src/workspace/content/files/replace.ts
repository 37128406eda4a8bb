import type { FileEditPayload } from "../../../contract/rows/workspace-file.ts"

/** Old and new text of a replacement. */
type Replacement = Pick<FileEditPayload, "oldText" | "newText" | "replaceAll">

interface Replaced {
  readonly _tag: "replaced"
  readonly content: Uint8Array
  readonly count: number
  /** Lines of the new content at which replacements begin, the first few. */
  readonly lines: ReadonlyArray<number>
  /** End of all lines of the file, if the lines of the texts end otherwise and count as lines of the file. */
  readonly lineEnd: LineEnd | undefined
}

/** The text does not occur, or occurs several times. */
export interface NotReplaced {
  readonly _tag: "not-replaced"
  readonly count: number
  /** Line numbers of the first matches. */
  readonly lines: ReadonlyArray<number>
}

/** The result would exceed the limit of a request. */
interface TooLarge {
  readonly _tag: "too-large"
  readonly size: number
}

/** Maximum number of lines in a result. */
const MAX_LINES = 100
/** Largest file that an edit may make. */
export const MAX_EDITED_BYTES = 33_554_432

const NEWLINE = 0x0a
const CARRIAGE_RETURN = 0x0d

/** Counts lines up to a place. Successive places must not go back. */
const lineCounter = (content: Buffer) => {
  let line = 1
  let counted = 0
  return (place: number) => {
    for (
      let at = content.indexOf(NEWLINE, counted);
      at !== -1 && at < place;
      at = content.indexOf(NEWLINE, at + 1)
    ) line++
    counted = Math.max(counted, place)
    return line
  }
}

/** Positions of `wanted`. With a step of 1, matches may overlap. */
const placesOf = (content: Buffer, wanted: Buffer, step: number) => {
  const places: Array<number> = []
  for (let at = content.indexOf(wanted); at !== -1; at = content.indexOf(wanted, at + step)) places.push(at)
  return places
}

const linesAt = (content: Buffer, places: ReadonlyArray<number>) => places.slice(0, MAX_LINES).map(lineCounter(content))

type LineEnd = "crlf" | "lf"

/** The end of all lines. `undefined` for mixed ends, or without a line feed. */
const lineEndOf = (content: Buffer): LineEnd | undefined => {
  let end: LineEnd | undefined
  for (let at = content.indexOf(NEWLINE); at !== -1; at = content.indexOf(NEWLINE, at + 1)) {
    const found = content[at - 1] === CARRIAGE_RETURN ? "crlf" : "lf"
    if (end !== undefined && end !== found) return undefined
    end = found
  }
  return end
}

/**
 * The end of all lines of the file, if those of the texts all end otherwise. CRLF in a new text alone is meant: no old text says
 * what the file has.
 */
const otherLineEnd = (content: Buffer, { newText, oldText }: Omit<Replacement, "replaceAll">): LineEnd | undefined => {
  const texts = `${oldText}${newText}`
  const isLf = /\n/.test(texts) && !/\r/.test(texts)
  const isCrlf = /\r\n/.test(oldText) && !/(^|[^\r])\n/.test(oldText) && !/(^|[^\r])\n/.test(newText)
  const end = isLf || isCrlf ? lineEndOf(content) : undefined
  return end === (isLf ? "lf" : "crlf") ? undefined : end
}

const replaceAt = (content: Buffer, places: ReadonlyArray<number>, oldLength: number, fresh: Buffer) => {
  const result = Buffer.allocUnsafe(content.length + places.length * (fresh.length - oldLength))
  const starts: Array<number> = []
  let from = 0
  let to = 0
  for (const place of places) {
    to += content.copy(result, to, from, place)
    if (starts.length < MAX_LINES) starts.push(to)
    to += fresh.copy(result, to)
    from = place + oldLength
  }
  content.copy(result, to, from)
  return { result, starts }
}

/**
 * Replaces text in a file, byte by byte as UTF-8, for any encoding of the rest. Without `replaceAll`, the text must occur exactly
 * once, overlaps counted. If all lines of the file end in CRLF and the texts have only LF, LF stands for CRLF; so does CRLF for LF.
 */
export const replaceText = (
  content: Buffer,
  { newText, oldText, replaceAll }: Replacement
): Replaced | NotReplaced | TooLarge => {
  const lineEnd = otherLineEnd(content, { newText, oldText })
  const bytesOf = (text: string) =>
    Buffer.from(
      lineEnd === "crlf"
        ? text.replaceAll("\n", "\r\n")
        : lineEnd === "lf"
        ? text.replaceAll("\r\n", "\n")
        : text
    )
  const wanted = bytesOf(oldText)
  const fresh = bytesOf(newText)
  const places = placesOf(content, wanted, replaceAll ? wanted.length : 1)
  if (places.length === 0 || (places.length > 1 && !replaceAll)) {
    return { _tag: "not-replaced", count: places.length, lines: linesAt(content, places) }
  }
  const size = content.length + places.length * (fresh.length - wanted.length)
  if (size > MAX_EDITED_BYTES) return { _tag: "too-large", size }
  const { result, starts } = replaceAt(content, places, wanted.length, fresh)
  return { _tag: "replaced", content: result, count: places.length, lines: linesAt(result, starts), lineEnd }
}

/** Maximum size of a file to search for near matches. */
const MAX_SEARCHED_BYTES = 2_097_152

const isSpace = (byte: number) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)

/** The bytes that are no white space. */
const solid = (bytes: Uint8Array) => Buffer.from(bytes.filter((byte) => !isSpace(byte)))

/** Position of the `index`-th byte that is not white space. */
const placeOfSolid = (bytes: Buffer, index: number) => {
  let left = index
  return bytes.findIndex((byte) => !isSpace(byte) && left-- === 0)
}

const lineOf = (content: Buffer, place: number) => lineCounter(content)(place)

const withoutSpace = (content: Buffer, oldText: string) => {
  const wanted = solid(Buffer.from(oldText))
  const at = wanted.length === 0 ? -1 : solid(content).indexOf(wanted)
  return at === -1
    ? undefined
    : `it would match at line ${lineOf(content, placeOfSolid(content, at))} if white space were ignored: ` +
      `take indentation and line breaks exactly as they are there`
}

const firstLine = (content: Buffer, oldText: string) => {
  const lines = oldText.split("\n").map((line) => line.trim()).filter((line) => line !== "")
  const at = lines.length < 2 ? -1 : content.indexOf(lines[0]!)
  return at === -1
    ? undefined
    : `its first line is at line ${lineOf(content, at)}, what follows there differs`
}

/** Minimum length of a text that does not occur in a file by chance. */
const TELLING = 8

const done = (content: Buffer, newText: string) => {
  const at = newText.trim().length < TELLING ? -1 : content.indexOf(newText)
  return at === -1 ? undefined : `the new text is there already, at line ${lineOf(content, at)}`
}

const replacementCharacter = (oldText: string) =>
  oldText.includes("\ufffd")
    ? "a U+FFFD in it stands for bytes that are not UTF-8: choose text without them"
    : undefined

/** Hint for a caller whose text is not in the file: the most useful near match. */
export const nearMatch = (content: Buffer, { newText, oldText }: Omit<Replacement, "replaceAll">): string => {
  const hint = replacementCharacter(oldText) ?? (content.length > MAX_SEARCHED_BYTES
    ? undefined
    : withoutSpace(content, oldText) ?? done(content, newText) ?? firstLine(content, oldText))
  return `the text to replace is not there${hint === undefined ? "; read the file again" : `; ${hint}`}`
}
