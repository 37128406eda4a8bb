import { base64Forms, base64LineForms } from "../../system/secret-search/base64-forms.ts"
import { escapedForms } from "./escaped-forms.ts"

const text = (value: string) => new Uint8Array(Buffer.from(value, "utf8"))

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

const urlEncoded = (value: Uint8Array): ReadonlyArray<string> =>
  LEFT.flatMap((left) => {
    const encoded = percent(value, left)
    const ofForm = encoded.replaceAll("%20", "+")
    return [encoded, lowerEscapes(encoded), ofForm, lowerEscapes(ofForm)]
  })

/** A value without the newlines at its end: programs drop them when they read a file. */
export const trimmed = (value: string): string => value.replace(/[\r\n]+$/, "")

const hexadecimal = (value: Uint8Array): ReadonlyArray<string> => {
  const lower = Buffer.from(value).toString("hex")
  return [lower, lower.toUpperCase()]
}

const encoded = (value: Uint8Array): ReadonlyArray<string> => [
  ...base64Forms(value),
  ...urlEncoded(value),
  ...hexadecimal(value)
]

/**
 * The forms in which output may contain a value: as it is, as a terminal prints its lines, as the lines of a patch, in base64 (both alphabets, each
 * alignment, also in lines), URL-encoded, in hexadecimal, and with escapes. Without duplicates.
 */
export const formsOf = (value: string): ReadonlyArray<Uint8Array> => {
  const core = trimmed(value)
  const lines = core.replaceAll("\r\n", "\n")
  const inTerminals = lines.replaceAll("\n", "\r\n")
  const inPatches = ["+", "-", " "].map((mark) => lines.replaceAll("\n", `\n${mark}`))
  const files = [...new Set([core, lines, inTerminals])]
  const all = [
    ...files,
    ...inPatches,
    ...files.flatMap((one) => encoded(text(one))),
    ...base64LineForms(text(core)),
    ...[core, lines].flatMap(escapedForms)
  ]
  return [...new Set(all)].map(text)
}
