import { printable } from "../../../../src/contract/text/printable.ts"

/** Part of a text. A blank part is one that a browser would fold, or whose width differs from a blank's. */
export interface Part {
  readonly text: string
  readonly isBlank: boolean
}

// Blanks at an end, several blanks in a row, and other blanks than U+0020.
const blanks =
  /(^ +| +$| {2,}|[ \t\n\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]*[\t\n\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+ *)/u

const shown: ReadonlyMap<string, string> = new Map([["\n", "\\n"], ["\t", "\\t"]])

/** A blank stays as it is. Another kind of blank becomes an escape, or it would look like the usual one. */
const escaped = (character: string) =>
  character === " " ? " " : shown.get(character) ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`

/** Maximum characters of a name, a command or another text that stands in a row of the page. */
const MOST = 16_384

const bounded = (text: string) => text.length <= MOST ? text : `${text.slice(0, MOST)}… (${text.length} characters)`

/** Text of a guest in parts: control and invisible characters become escapes, and blanks that a browser would fold are parts of their own. */
export const partsOf = (text: string): ReadonlyArray<Part> =>
  printable(bounded(text)).split(blanks).flatMap((part, at) =>
    part === ""
      ? []
      : [at % 2 === 1 ? { text: Array.from(part, escaped).join(""), isBlank: true } : { text: part, isBlank: false }]
  )

/** The same where nothing can be marked: in an attribute, a title or an address. Blanks that a browser would fold become escapes, too. */
export const nameText = (text: string): string =>
  partsOf(text).map(({ isBlank, text }) => isBlank ? text.replaceAll(" ", String.raw`\x20`) : text).join("")
