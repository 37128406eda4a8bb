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

const utf8 = new TextDecoder("utf-8", { fatal: true })

/**
 * A path of raw bytes as text. What is not UTF-8, or has control characters or quotes in it, comes in git's quoted form
 * (`"a\303\n"`): never ambiguous and safe to print.
 */
export const pathText = (bytes: Uint8Array): string => {
  if (!bytes.some((byte) => byte < 0x20 || byte === 0x22 || byte === 0x5c || byte === 0x7f)) {
    try {
      return utf8.decode(bytes)
    } catch { /* not UTF-8 */ }
  }
  let quoted = "\""
  for (const byte of bytes) {
    quoted += escapes[byte] ??
      (byte < 0x20 || byte >= 0x7f ? `\\${byte.toString(8).padStart(3, "0")}` : String.fromCharCode(byte))
  }
  return `${quoted}"`
}
