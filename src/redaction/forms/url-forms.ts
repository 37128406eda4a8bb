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
export const urlForms = (value: Uint8Array): ReadonlyArray<string> =>
  LEFT.flatMap((left) => {
    const encoded = percent(value, left)
    const ofForm = encoded.replaceAll("%20", "+")
    return [encoded, lowerEscapes(encoded), ofForm, lowerEscapes(ofForm)]
  })

/** A value in hexadecimal digits, in both cases. */
export const hexadecimalForms = (value: Uint8Array): ReadonlyArray<string> => {
  const lower = Buffer.from(value).toString("hex")
  return [lower, lower.toUpperCase()]
}
