import { printable } from "../../../contract/text/printable.ts"

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

/** Text of a guest in parts: control and invisible characters become escapes, and blanks that a browser would fold are parts of their own. */
export const partsOf = (text: string): ReadonlyArray<Part> =>
  printable(text).split(blanks).flatMap((part, at) =>
    part === ""
      ? []
      : [at % 2 === 1 ? { text: Array.from(part, escaped).join(""), isBlank: true } : { text: part, isBlank: false }]
  )
