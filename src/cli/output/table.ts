import { Effect } from "effect"
import { rowText } from "../../contract/text/one-line.ts"
import { Terminal } from "../terminal/Terminal.ts"

/** Widths of text on a terminal. */
export interface TextWidth {
  /** Number of columns that the text occupies. */
  readonly columns: (text: string) => number
  /** The text in indivisible pieces: a letter with its accents, an emoji. */
  readonly clusters: (text: string) => ReadonlyArray<string>
}

const ASCII = /^[\0-\u007f]*$/

const asciiWidth: TextWidth = { columns: (text) => text.length, clusters: (text) => [...text] }

/** Unicode's tables take some 20 ms to set up, so only a text that is not ASCII loads them. */
const unicodeWidth = Effect.map(Effect.promise(() => import("string-width")), ({ default: columns }): TextWidth => {
  const segmenter = new Intl.Segmenter()
  return { columns, clusters: (text) => Array.from(segmenter.segment(text), ({ segment }) => segment) }
})

/** The widths of texts: wide characters, emoji and combining marks count as terminals show them. */
export const widthFor = (texts: ReadonlyArray<string>): Effect.Effect<TextWidth> =>
  texts.every((text) => ASCII.test(text)) ? Effect.succeed(asciiWidth) : unicodeWidth

/** The longest beginning of the text, in clusters, that fits in the columns. */
const beginning = (clusters: ReadonlyArray<string>, columns: number, width: TextWidth): ReadonlyArray<string> => {
  let used = 0
  const end = clusters.findIndex((cluster) => (used += width.columns(cluster)) > columns)
  return end < 0 ? clusters : clusters.slice(0, end)
}

/** Cuts text that is wider than the columns, and marks the cut with `…`. */
export const cutEnd = (text: string, columns: number, width: TextWidth): string =>
  width.columns(text) <= columns ? text : beginning(width.clusters(text), columns - 1, width).join("") + "…"

/** Cuts the beginning of text that is wider than the columns, and marks the cut with `...`, as git does with paths. */
export const cutBeginning = (text: string, columns: number, width: TextWidth): string =>
  width.columns(text) <= columns
    ? text
    : `...${beginning(width.clusters(text).toReversed(), columns - 3, width).toReversed().join("")}`

/** Fills text with spaces up to the columns. */
export const padded = (text: string, columns: number, width: TextWidth): string =>
  text + " ".repeat(Math.max(0, columns - width.columns(text)))

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const

export type Colour = keyof typeof CODES

/** Text with a colour, which only a terminal shows, or with a limit. */
interface Styled {
  readonly text: string
  readonly colour?: Colour
  /** Maximum columns of the text, even in a pipe. Default: no limit. */
  readonly maxColumns?: number
  /** Number of rows above that this one belongs to: the text is indented by twice as many columns. @default 0 */
  readonly depth?: number
}

export type Cell = string | Styled

/** A cell of a row that belongs to one above. */
export const beneath = (text: string, depth = 1): Styled => ({ text, depth })

export const painted = (colour: Colour, text: string): Styled => ({ text, colour })

/** Colours text that is already safe to show. */
export const paint = (colour: Colour, text: string): string => `\u001b[${CODES[colour]}m${text}\u001b[0m`

/** A cell as one line that is safe on a terminal. */
const lineOf = (cell: Cell | undefined): string =>
  typeof cell === "object" ? "  ".repeat(cell.depth ?? 0) + rowText(cell.text) : rowText(cell ?? "")

/** Minimum width of a cut column. */
const LEAST = 8
const GAP = 2

interface TableOptions {
  /** Numbers of the columns that may be cut to fit a terminal. Columns that people copy from stay whole. */
  readonly flexible?: ReadonlyArray<number>
  /** Whether the first row is a head. */
  readonly head?: boolean
  readonly width: number
  readonly colour: boolean
}

/** Rows of cells as aligned lines. */
export const tableText = (
  rows: ReadonlyArray<ReadonlyArray<Cell>>,
  options: TableOptions
): Effect.Effect<string> => {
  const lines = rows.map((row) => row.map(lineOf))
  return Effect.map(widthFor(lines.flat()), (layout) => aligned(rows, lines, options, layout))
}

const aligned = (
  rows: ReadonlyArray<ReadonlyArray<Cell>>,
  lines: ReadonlyArray<ReadonlyArray<string>>,
  options: TableOptions,
  layout: TextWidth
): string => {
  const texts = lines.map((row, number) =>
    row.map((text, at) => {
      const cell = rows[number]?.[at]
      return typeof cell === "object" ? cutEnd(text, cell.maxColumns ?? Number.POSITIVE_INFINITY, layout) : text
    })
  )
  const widths = (texts[0] ?? []).map((_, at) => Math.max(...texts.map((row) => layout.columns(row[at] ?? ""))))
  const flexible = options.flexible ?? []
  const width = (at: number) => widths[at] ?? 0
  for (;;) {
    const over = widths.reduce((sum, one) => sum + one, GAP * (widths.length - 1)) - options.width
    const [widest] = flexible.filter((at) => width(at) > LEAST).sort((a, b) => width(b) - width(a))
    if (over <= 0 || widest === undefined) break
    widths[widest] = width(widest) - 1
  }
  return texts.map((row, number) => {
    const cells = row.map((text, at) => {
      const own = cutEnd(text, width(at), layout)
      const padding = at === row.length - 1 ? "" : " ".repeat(width(at) - layout.columns(own) + GAP)
      const cell = rows[number]?.[at]
      const colour = options.head === true && number === 0 ? "bold" : typeof cell === "object" ? cell.colour : undefined
      return (options.colour && colour !== undefined && own !== "" ? paint(colour, own) : own) + padding
    })
    return cells.join("").trimEnd() + "\n"
  }).join("")
}

/** Prints rows of cells: whole into a pipe, cut to fit a terminal. */
export const printTable = (
  rows: ReadonlyArray<ReadonlyArray<Cell>>,
  options: Pick<TableOptions, "flexible" | "head"> = {}
) =>
  Effect.gen(function*() {
    const terminal = yield* Terminal
    const { cols } = yield* terminal.size
    const width = terminal.stdoutIsTerminal ? cols : Number.POSITIVE_INFINITY
    yield* terminal.writeStdout(yield* tableText(rows, { ...options, width, colour: terminal.colour }))
  })
