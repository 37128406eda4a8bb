const hexadecimal = (character: string, count: number) => character.charCodeAt(0).toString(16).padStart(count, "0")

/**
 * Text that may come from a guest, safe to show in a terminal: control characters, escape sequences and
 * bidirectional overrides become visible escapes; newlines (`\r\n` too) and tabs stay.
 */
export const printable = (text: string): string =>
  text.replaceAll("\r\n", "\n").replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => character < "\u0100" ? `\\x${hexadecimal(character, 2)}` : `\\u${hexadecimal(character, 4)}`
  )

/**
 * A document of JSON, safe to show in a terminal: `JSON.stringify` leaves DEL, controls of the upper half (C1), which terminals obey, and
 * bidirectional overrides as they are. Every reader of JSON gets the same document.
 */
export const jsonText = (document: unknown, indent?: number): string =>
  JSON.stringify(document, undefined, indent).replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${hexadecimal(character, 4)}`
  )
