import { named } from "./names.ts"

/**
 * Invisible characters that act on a terminal or on a model, or make one name look like another: DEL and the C1 controls, soft hyphens,
 * fillers, bidirectional marks and overrides, line separators, zero-width spaces, invisible operators, the tags and selectors of Unicode's plane
 * 14, which can spell hidden words, and halves of characters, which no UTF-8 has.
 */
const UNSEEN = String
  .raw`\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f` +
  String.raw`\u2800\u3164\ud800-\udfff\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e0fff}`

/**
 * Joiners and selectors where they join and select nothing: after ASCII, except in a keycap, and after each other. Scripts and emoji need the
 * others.
 */
const IDLE = String.raw`(?<=^|[\u0000-\u007f\u200c\u200d])(?!\ufe0f\u20e3)[\u200c\u200d\ufe00-\ufe0f]|` +
  String.raw`(?<=[\ufe00-\ufe0f])[\ufe00-\ufe0f]`
const unseen = new RegExp(`[${UNSEEN}]`, "gu")
const unprintable = new RegExp(String.raw`[\u0000-\u0008\u000b-\u001f${UNSEEN}]|${IDLE}`, "gu")

const escaped = (character: string) => {
  const code = character.codePointAt(0)!
  const digits = code.toString(16)
  return code < 0x100
    ? `\\x${digits.padStart(2, "0")}`
    : code < 0x10000
    ? `\\u${digits.padStart(4, "0")}`
    : `\\u{${digits}}`
}

/** Text from a guest, safe for a terminal: control and invisible characters become escapes. Newlines (`\r\n` too) and tabs stay. */
export const printable = (text: string): string => text.replaceAll("\r\n", "\n").replace(unprintable, escaped)

/** The same for a model. Both kinds of line ends stay: a diff may be about them. */
export const readableText = (text: string): string => text.split("\r\n").map(printable).join("\r\n")

/** A JSON value whose texts, and names of fields, are `readableText`. */
export const readableValue = (value: unknown): unknown => {
  if (typeof value === "string") return readableText(value)
  if (Array.isArray(value)) return value.map(readableValue)
  if (value === null || typeof value !== "object") return value
  return named(Object.entries(value).map(([name, one]) => [readableText(name), readableValue(one)] as const))
}

/**
 * A JSON document, safe for a terminal: `JSON.stringify` keeps DEL, C1 controls and bidirectional overrides. Every reader of JSON gets the
 * same document.
 */
export const jsonText = (document: unknown, indent?: number): string =>
  JSON.stringify(document, undefined, indent).replace(
    unseen,
    (character) => character.split("").map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join("")
  )

const controlOrInvisible = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}\\"]/gu

const escapedGuest = (character: string) => {
  if (character === "\n") return "\\n"
  if (character === "\t") return "\\t"
  if (character === "\\" || character === "\"") return `\\${character}`
  return `\\u{${character.codePointAt(0)!.toString(16)}}`
}

/**
 * Text that came from the guest, made safe for an error, a log or a terminal: no control characters, no
 * direction overrides, no invisible ones, at most `limitBytes` bytes of it, cut with an ellipsis.
 */
export const escapeGuestText = (bytes: Uint8Array, limitBytes = 200) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, limitBytes))
    .toString("utf8")
    .replace(controlOrInvisible, escapedGuest) + (bytes.byteLength > limitBytes ? "…" : "")

/** A word that no shell changes. zsh expands one that begins with `=`. */
const plainWord = /^(?!=)[\w@%+=:,./-]+$/
const unseenOnScreen = new RegExp(unprintable.source, "u")
/** Within `$'…'` a backslash begins an escape. An escaped quote confuses the history of some shells, which is looked for at each `!`. */
const unlikeItself = new RegExp(`[\\\\'!]|${unprintable.source}`, "gu")

/** The bytes of characters, as bash and zsh read them within `$'…'`. */
const bytesOf = (characters: string) =>
  [...new TextEncoder().encode(characters)].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("")

const quoted = (word: string) =>
  unseenOnScreen.test(word)
    ? `$'${word.replace(unlikeItself, bytesOf)}'`
    : `'${word.replaceAll("'", String.raw`'\''`)}'`

/** Words as they could be typed into a shell. What a screen does not show is escaped, so that the pasted line has the same words. */
export const typed = (words: ReadonlyArray<string>): string =>
  words.map((word) => plainWord.test(word) ? word : quoted(word)).join(" ")
