import { hasLookAlikes } from "./one-line.ts"
import { printable } from "./printable.ts"

const escapes: Readonly<Record<number, string>> = {
  7: "\\a",
  8: "\\b",
  9: "\\t",
  10: "\\n",
  11: "\\v",
  12: "\\f",
  13: "\\r",
  34: "\\\"",
  92: "\\\\"
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** The bytes as UTF-8 if they are UTF-8 and contain no character that acts on a terminal, looks like another or needs quotes. */
const plain = (bytes: Uint8Array): string | undefined => {
  try {
    const text = utf8.decode(bytes)
    return /["\\]/.test(text) || hasLookAlikes(text) || printable(text) !== text ? undefined : text
  } catch {
    return undefined
  }
}

/**
 * A path of raw bytes as text. Bytes that are not UTF-8, control characters, quotes, blanks at an end and other blanks than U+0020 give git's quoted form (`"a\303\n"`), which
 * is unambiguous and safe to print.
 */
export const pathText = (bytes: Uint8Array): string => plain(bytes) ?? quoted(bytes)

/** The bytes of a path in the form of `pathText`. `undefined` for an invalid quoted form. */
export const pathBytes = (text: string): Uint8Array | undefined =>
  text.startsWith("\"") ? unquoted(text) : encoder.encode(text)

const encoder = new TextEncoder()
const escaped = new Map(Object.entries(escapes).map(([byte, escape]) => [escape.slice(1), Number(byte)]))

const unquoted = (text: string): Uint8Array | undefined => {
  if (!/^"(?:[^"\\]|\\(?:[0-3][0-7]{2}|[abtnvfr"\\]))*"$/.test(text)) return undefined
  const pieces = Array.from(
    text.slice(1, -1).matchAll(/\\([0-7]{3})|\\(.)|[^\\]+/g),
    ([plain, octal, letter]) =>
      octal !== undefined
        ? Uint8Array.of(Number.parseInt(octal, 8))
        : letter !== undefined
        ? Uint8Array.of(escaped.get(letter)!)
        : encoder.encode(plain)
  )
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
}

/** By byte. */
const shown = Array.from(
  { length: 256 },
  (_, byte) =>
    escapes[byte] ??
      (byte < 0x20 || byte >= 0x7f ? `\\${byte.toString(8).padStart(3, "0")}` : String.fromCharCode(byte))
)

const quoted = (bytes: Uint8Array): string => {
  let text = "\""
  for (const byte of bytes) text += shown[byte]
  return `${text}"`
}
