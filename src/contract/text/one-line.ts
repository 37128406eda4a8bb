import { printable } from "./printable.ts"

/** Maximum characters of a text in a question. */
const MOST = 1_000

/** Maximum characters of a name in a question. A longer name would push the rest of the question off the screen. */
const MOST_OF_NAME = 200

/** Line ends, tabs, blanks that only look like U+0020, and blanks at an end, where they are invisible. */
const LOOK_ALIKE = String.raw`[\t\n\v\f\r\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]|^ +|(?<! ) +$`
const lookAlike = new RegExp(LOOK_ALIKE, "g")
/** The same, and more than one blank in a row: they could begin a line on a screen that wraps. */
const blank = new RegExp(`${LOOK_ALIKE}| {2,}`, "g")

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
export const oneLine = (text: string, most = MOST): string => cut(printable(text.replace(blank, escaped)), most)

/** A name that others chose, in a question or an error: the words of pyro after the name stay in sight. */
export const nameLine = (text: string): string => oneLine(text, MOST_OF_NAME)

/**
 * The same in a row of a table or a list, where nothing wraps unseen: blanks between words stay. Names that differ look different, and the text cannot look like
 * another row.
 */
export const rowText = (text: string, most = Infinity): string => cut(printable(text.replace(lookAlike, escaped)), most)

/** Whether a name could look like another one, or like two lines. */
export const hasLookAlikes = (text: string): boolean => text.search(lookAlike) >= 0

const cut = (line: string, most: number) =>
  line.length <= most ? line : `${line.slice(0, most)}… (${line.length} characters)`

/** The first of some texts, one line each, and how many are left out. */
export const someLines = (texts: ReadonlyArray<string>, most: number): ReadonlyArray<string> => [
  ...texts.slice(0, most).map((text) => oneLine(text)),
  ...(texts.length > most ? [`and ${texts.length - most} more`] : [])
]
