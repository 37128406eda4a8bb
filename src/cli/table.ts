import { Effect } from "effect"
import { printable } from "../contract/printable.ts"
import { Terminal } from "./terminal.ts"

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const

export type Colour = keyof typeof CODES

/** Text with a colour, which only a terminal gets. */
export interface Painted {
  readonly text: string
  readonly colour: Colour
}

export type Cell = string | Painted

export const painted = (colour: Colour, text: string): Painted => ({ text, colour })

/** Wraps text that is safe to show already. */
export const paint = (colour: Colour, text: string): string => `\u001b[${CODES[colour]}m${text}\u001b[0m`

/** What of a cell is shown: one line, safe on a terminal. */
const shown = (cell: Cell | undefined): string =>
  printable(typeof cell === "object" ? cell.text : cell ?? "").replaceAll("\n", "\\n").replaceAll("\t", " ")

export const cut = (text: string, width: number): string => {
  const characters = [...text]
  return characters.length <= width ? text : characters.slice(0, Math.max(0, width - 1)).join("") + "…"
}

const lengthOf = (text: string) => [...text].length

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
export const tableText = (rows: ReadonlyArray<ReadonlyArray<Cell>>, options: TableOptions): string => {
  const texts = rows.map((row) => row.map(shown))
  const widths = (texts[0] ?? []).map((_, at) => Math.max(...texts.map((row) => lengthOf(row[at] ?? ""))))
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
      const own = cut(text, width(at))
      const padding = at === row.length - 1 ? "" : " ".repeat(width(at) - lengthOf(own) + GAP)
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
    yield* terminal.writeStdout(tableText(rows, { ...options, width, colour: terminal.colour }))
  })
