/** Old and new text of a replacement. */
export interface Replacement {
  readonly oldText: string
  readonly newText: string
  readonly replaceAll: boolean
}

export interface Replaced {
  readonly _tag: "replaced"
  readonly content: Uint8Array
  readonly count: number
  /** Lines of the new content at which replacements begin, the first few. */
  readonly lines: ReadonlyArray<number>
  /** The texts' line ends were taken to be CRLF, as all of the file's are. */
  readonly crlf: boolean
}

/** The text is not there, or there several times. */
export interface NotReplaced {
  readonly _tag: "not-replaced"
  readonly count: number
  /** Line numbers of the first matches. */
  readonly lines: ReadonlyArray<number>
}

/** The result would exceed the limit of a request. */
export interface TooLarge {
  readonly _tag: "too-large"
  readonly size: number
}

/** Most lines that are named. */
const MAX_LINES = 100
/** Largest file that an edit may make. */
export const MAX_EDITED_BYTES = 33_554_432

const NEWLINE = 0x0a
const CARRIAGE_RETURN = 0x0d

/** Counts lines up to places that only go forward. */
export const lineCounter = (content: Buffer) => {
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

/** Positions of `wanted`. Matches may overlap if they are only counted. */
const placesOf = (content: Buffer, wanted: Buffer, step: number) => {
  const places: Array<number> = []
  for (let at = content.indexOf(wanted); at !== -1; at = content.indexOf(wanted, at + step)) places.push(at)
  return places
}

const linesAt = (content: Buffer, places: ReadonlyArray<number>) => places.slice(0, MAX_LINES).map(lineCounter(content))

/** Whether every line of the file ends in CRLF. */
const isCrlf = (content: Buffer) => {
  let some = false
  for (let at = content.indexOf(NEWLINE); at !== -1; at = content.indexOf(NEWLINE, at + 1)) {
    if (content[at - 1] !== CARRIAGE_RETURN) return false
    some = true
  }
  return some
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
 * once, overlaps counted. If all lines of the file end in CRLF and the texts have only LF, LF stands for CRLF.
 */
export const replaceText = (
  content: Buffer,
  { newText, oldText, replaceAll }: Replacement
): Replaced | NotReplaced | TooLarge => {
  const crlf = /\n/.test(oldText + newText) && !/\r/.test(oldText + newText) && isCrlf(content)
  const bytesOf = (text: string) => Buffer.from(crlf ? text.replaceAll("\n", "\r\n") : text)
  const wanted = bytesOf(oldText)
  const fresh = bytesOf(newText)
  const places = placesOf(content, wanted, replaceAll ? wanted.length : 1)
  if (places.length === 0 || (places.length > 1 && !replaceAll)) {
    return { _tag: "not-replaced", count: places.length, lines: linesAt(content, places) }
  }
  const size = content.length + places.length * (fresh.length - wanted.length)
  if (size > MAX_EDITED_BYTES) return { _tag: "too-large", size }
  const { result, starts } = replaceAt(content, places, wanted.length, fresh)
  return { _tag: "replaced", content: result, count: places.length, lines: linesAt(result, starts), crlf }
}
