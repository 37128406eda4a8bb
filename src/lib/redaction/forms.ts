import { pathText } from "../../contract/text/path-text.ts"
import { printable } from "../../contract/text/printable.ts"

/** Columns of a line: PEM and OpenSSL have 64, and MIME and `base64` have 76. */
const COLUMNS = [64, 76]
const LINE_ENDS = ["\n", "\r\n"]
/** Characters that three bytes give. */
const GROUP = 4

/** Maximum bytes of a value whose lines may break anywhere. Each column of its beginning is a form of its own. */
export const MAX_BROKEN_BYTES = 128

interface Encoded {
  /** The base64 text, with zero bytes in front of the value. */
  readonly text: string
  /** The characters that depend on the value alone. */
  readonly from: number
  readonly to: number
}

const encodedAt = (value: Uint8Array, before: number): Encoded => ({
  text: Buffer.concat([Buffer.alloc(before), value]).toString("base64"),
  from: Math.ceil(before * 8 / 6),
  to: Math.floor((before + value.length) * 8 / 6)
})

/** Base64 at each position modulo 3 in both alphabets, on one line. */
const onOneLine = ({ from, text, to }: Encoded): ReadonlyArray<string> => {
  const whole = text.slice(from, to)
  return [whole, whole.replaceAll("+", "-").replaceAll("/", "_")]
}

/** The lines of a text whose first group is in a column. */
const broken = ({ from, text, to }: Encoded, column: number, columns: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let begin = from
  for (let next = columns - column; next < to; next += columns) {
    if (next <= from) continue
    lines.push(text.slice(begin, next))
    begin = next
  }
  return [...lines, text.slice(begin, to)]
}

/** Base64 in lines. A long value has only the lines of a text that begins with the value, as `base64 FILE` prints them. */
const inLines = (encoded: Encoded, isShort: boolean): ReadonlyArray<string> =>
  COLUMNS.flatMap((columns) =>
    Array.from({ length: isShort ? columns / GROUP : 1 }, (_, group) => broken(encoded, group * GROUP, columns))
      .filter(({ length }) => length > 1)
      .flatMap((lines) => LINE_ENDS.map((end) => lines.join(end)))
  )

/** Base64 of a value on one line, at each alignment. */
const base64Forms = (value: Uint8Array): ReadonlyArray<string> =>
  [0, 1, 2].flatMap((before) => onOneLine(encodedAt(value, before)))

/** Base64 of a value in lines, at each alignment and column of a short value. */
const base64LineForms = (value: Uint8Array): ReadonlyArray<string> => {
  const isShort = value.length <= MAX_BROKEN_BYTES
  return (isShort ? [0, 1, 2] : [0]).flatMap((before) => inLines(encodedAt(value, before), isShort))
}

/** Characters that an encoder of URLs leaves as they are, beside letters and digits. */
const LEFT = [
  // RFC 3986
  "-_.~",
  // encodeURIComponent of JavaScript
  "-_.~!*'()",
  // quote of Python
  "-_.~/",
  // forms of HTML
  "-_.*"
]

const isPlain = (byte: number) =>
  (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a)

const percent = (value: Uint8Array, left: string): string => {
  const kept = new Set(Buffer.from(left))
  const encoded = Array.from({ length: 256 }, (_, byte) =>
    isPlain(byte) || kept.has(byte)
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).padStart(2, "0").toUpperCase()}`)
  return Array.from(value, (byte) => encoded[byte]).join("")
}

const lowerEscapes = (encoded: string) => encoded.replace(/%../g, (escape) => escape.toLowerCase())

/** A value as encoders of URLs write it, with escapes in upper and lower case. */
const urlForms = (value: Uint8Array): ReadonlyArray<string> =>
  LEFT.flatMap((left) => {
    const encoded = percent(value, left)
    const ofForm = encoded.replaceAll("%20", "+")
    return [encoded, lowerEscapes(encoded), ofForm, lowerEscapes(ofForm)]
  })

/** A value in hexadecimal digits, in both cases. */
const hexadecimalForms = (value: Uint8Array): ReadonlyArray<string> => {
  const lower = Buffer.from(value).toString("hex")
  return [lower, lower.toUpperCase()]
}

const unicodeEscape = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`

/** The value in the quotes that names of files get: a quote before the value makes them necessary. */
const quotedName = (value: string) => pathText(Buffer.from(`"${value}`, "utf8")).slice(3, -1)

/**
 * A value with escapes: of JSON, as JavaScript, Python, PHP and Go write it, and of pyro's own texts. The escapes of a value without quotes,
 * backslashes, slashes, control characters and characters outside ASCII are the value.
 */
const escapedForms = (value: string): ReadonlyArray<string> => {
  const json = JSON.stringify(value).slice(1, -1)
  const ascii = json.replace(/[^\0-\x7f]/g, unicodeEscape)
  return [
    json,
    ascii,
    json.replaceAll("/", "\\/"),
    ascii.replaceAll("/", "\\/"),
    json.replace(/[<>&]/g, unicodeEscape),
    printable(value),
    quotedName(value)
  ]
}

const escapes = (digits: (code: number) => string) => (character: string) =>
  `\\u${digits(character.charCodeAt(0)).padStart(4, "0")}`
const lowerEscape = escapes((code) => code.toString(16))
const upperEscape = escapes((code) => code.toString(16).toUpperCase())

/** A value in the strings of JSON, as JavaScript, PHP, Go and .NET write them. */
const jsonForms = (value: string): ReadonlyArray<string> => {
  const json = JSON.stringify(value).slice(1, -1)
  return [
    json,
    json.replaceAll("/", "\\/"),
    json.replace(/[<>&]/g, lowerEscape),
    value.replace(/\\/g, "\\\\").replace(/["'<>&+`]/g, upperEscape)
  ]
}

/** A value in a page of HTML: writers differ in the quotes. */
const htmlForms = (value: string): ReadonlyArray<string> => {
  const text = value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
  return [
    text,
    ...["&quot;", "&#34;"].flatMap((double) =>
      ["'", "&#39;", "&#x27;"].map((single) => text.replaceAll("\"", double).replaceAll("'", single))
    )
  ]
}

/** Forms in which a host sends a header back: as it is, out of or in Basic credentials, in JSON, in a page, in a URL, in hexadecimal. */
export const answerForms = (value: string): ReadonlyArray<Uint8Array> => {
  const bytes = Buffer.from(value, "latin1")
  const all = [
    value,
    ...jsonForms(value),
    ...htmlForms(value),
    ...urlForms(bytes),
    ...hexadecimalForms(bytes),
    ...base64Forms(bytes)
  ]
  return [...new Set(all)].map((form) => Buffer.from(form, "latin1"))
}

const text = (value: string) => new Uint8Array(Buffer.from(value, "utf8"))

const encoded = (value: Uint8Array): ReadonlyArray<string> => [
  ...base64Forms(value),
  ...urlForms(value),
  ...hexadecimalForms(value)
]

/**
 * The forms in which output may contain a value: as it is, as a terminal prints its lines, as the lines of a patch, in base64 (both alphabets, each
 * alignment, also in lines), URL-encoded, in hexadecimal, and with escapes. Without duplicates.
 */
export const secretForms = (value: string): ReadonlyArray<Uint8Array> => {
  const lines = value.replaceAll("\r\n", "\n")
  const inTerminals = lines.replaceAll("\n", "\r\n")
  const inPatches = ["+", "-", " "].map((mark) => lines.replaceAll("\n", `\n${mark}`))
  const files = [...new Set([value, lines, inTerminals])]
  const all = [
    ...files,
    ...inPatches,
    ...files.flatMap((one) => encoded(text(one))),
    ...base64LineForms(text(value)),
    ...[value, lines].flatMap(escapedForms)
  ]
  return [...new Set(all)].map(text)
}
