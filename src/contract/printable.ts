/**
 * Text that may come from a guest, safe to show in a terminal: control characters, escape sequences and
 * bidirectional overrides become visible escapes; newlines (`\r\n` too) and tabs stay.
 */
export const printable = (text: string): string =>
  text.replaceAll("\r\n", "\n").replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => {
      const code = character.charCodeAt(0)
      return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`
    }
  )
