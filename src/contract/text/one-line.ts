import { printable } from "./printable.ts"

/** Maximum characters of a text in a question. */
const MOST = 1_000

/** Line ends, tabs, blanks of other widths, and more than one blank in a row: each could begin a line on a screen that wraps. */
const blank = /[\t\n\v\f\r\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]| {2,}/g

const NAMED: ReadonlyMap<string, string> = new Map([["\t", "\\t"], ["\n", "\\n"], ["\r", "\\r"]])

const escaped = (blanks: string) =>
  NAMED.get(blanks) ??
    blanks.split("").map((one) => {
      const code = one.charCodeAt(0)
      return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`
    }).join("")

/**
 * Text of a file, a guest or a model inside a sentence of pyro, such as a question: one line, without characters that a reader does not see, and of bounded
 * length. The text cannot look like another sentence of pyro.
 */
export const oneLine = (text: string, most = MOST): string => {
  const line = printable(text.replace(blank, escaped))
  return line.length <= most ? line : `${line.slice(0, most)}… (${line.length} characters)`
}

/** The first of some texts, one line each, and how many are left out. */
export const someLines = (texts: ReadonlyArray<string>, most: number): ReadonlyArray<string> => [
  ...texts.slice(0, most).map((text) => oneLine(text)),
  ...(texts.length > most ? [`and ${texts.length - most} more`] : [])
]
