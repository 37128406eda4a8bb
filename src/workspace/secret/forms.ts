const text = (value: string) => new Uint8Array(Buffer.from(value, "utf8"))

/** Base64 of a value at each position modulo 3, without the characters that depend on the bytes around the value. */
const base64 = (value: Uint8Array): ReadonlyArray<string> =>
  [0, 1, 2].flatMap((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), value]).toString("base64")
    const whole = encoded.slice(Math.ceil(before * 8 / 6), Math.floor((before + value.length) * 8 / 6))
    return [whole, whole.replaceAll("+", "-").replaceAll("/", "_")]
  })

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

const lowerHex = (encoded: string) => encoded.replace(/%../g, (escape) => escape.toLowerCase())

const urlEncoded = (value: Uint8Array): ReadonlyArray<string> =>
  LEFT.flatMap((left) => {
    const encoded = percent(value, left)
    const ofForm = encoded.replaceAll("%20", "+")
    return [encoded, lowerHex(encoded), ofForm, lowerHex(ofForm)]
  })

/** A value without the newlines at its end: programs drop them when they read a file. */
export const trimmed = (value: string): string => value.replace(/[\r\n]+$/, "")

/**
 * The forms in which output may contain a value: as it is, as a terminal prints its lines, as the lines of a patch, in base64 (both alphabets, each
 * alignment), and URL-encoded. Without duplicates.
 */
export const formsOf = (value: string): ReadonlyArray<Uint8Array> => {
  const core = trimmed(value)
  const lines = core.replaceAll("\r\n", "\n")
  const inPatches = ["+", "-", " "].map((mark) => lines.replaceAll("\n", `\n${mark}`))
  const inTerminals = lines.replaceAll("\n", "\r\n")
  const all = [...new Set([core, lines, inTerminals, ...inPatches])].flatMap((one) => {
    const bytes = text(one)
    return [one, ...base64(bytes), ...urlEncoded(bytes)]
  })
  return [...new Set(all)].map(text)
}
