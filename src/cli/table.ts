import { Effect } from "effect"
import { printable } from "../contract/text/printable.ts"
import { Terminal } from "./terminal.ts"
import { cutEnd, type TextWidth, widthFor } from "./text-width.ts"

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const

export type Colour = keyof typeof CODES

/** Text with a colour, which only a terminal gets, or with a limit. */
export interface Styled {
  readonly text: string
  readonly colour?: Colour
  /** Maximum columns of the text, in a pipe too. Default: no limit. */
  readonly maxColumns?: number
}

export type Cell = string | Styled

export const painted = (colour: Colour, text: string): Styled => ({ text, colour })

/** Wraps text that is safe to show already. */
export const paint = (colour: Colour, text: string): string => `\u001b[${CODES[colour]}m${text}\u001b[0m`

/** A cell as one line that is safe on a terminal. */
const lineOf = (cell: Cell | undefined): string =>
  printable(typeof cell === "object" ? cell.text : cell ?? "").replaceAll("\n", "\\n").replaceAll("\t", " ")

/** Least width that a column is cut to. */
const LEAST = 8
const GAP = 2

export interface TableOptions {
  /** Columns that may be cut, by their number, to fit a terminal; those that a caller copies from are left whole. */
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

/** Prints rows of cells: as wide as they are into a pipe, cut to fit a terminal. */
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
