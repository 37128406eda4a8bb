import type { OutputName, OutputPiece } from "./output.ts"

/** Maximum held bytes of a line: its beginning may still be overwritten. */
const MAX_HELD_BYTES = 2_000
/** Columns of a line that a program redraws: with four bytes each it fits a page of output. */
const MAX_COLUMNS = 1_000

/** Blank cells that the moves of a cursor may fill, and how many each written character adds: a move of seven bytes could fill a whole line. */
const FREE_BLANKS = 16_384
const BLANKS_EACH = 4

const NEWLINE = 0x0a
const encoder = new TextEncoder()

/**
 * The current line of a stream, as a terminal shows it: after a carriage return, a backspace and some sequences, a program writes over
 * the line. A line without overwrites keeps its bytes and their places in the output.
 */
export class TerminalLine {
  readonly #from: OutputName
  readonly #emit: (piece: OutputPiece) => void
  #held: Array<OutputPiece> = []
  #heldBytes = 0
  /** The line grew too long to be held: its beginning was handed on. */
  #passing = false
  /** Characters by column, after the first overwrite. */
  #cells: Array<string> | undefined
  #column = 0
  #blanksLeft = FREE_BLANKS
  #begin = 0
  #next = 0
  #decoder = new TextDecoder()

  constructor(from: OutputName, emit: (piece: OutputPiece) => void) {
    this.#from = from
    this.#emit = emit
  }

  get isRedrawn(): boolean {
    return this.#cells !== undefined
  }

  /** Bytes that a terminal shows as they are; of a redrawn line without a newline. */
  write(bytes: Uint8Array, next: number): void {
    this.#next = next
    if (this.#cells !== undefined) return this.#put(this.#decoder.decode(bytes, { stream: true }))
    const line = bytes.lastIndexOf(NEWLINE) + 1
    if (line > 0) {
      this.#flush()
      this.#emit({ from: this.#from, bytes: bytes.subarray(0, line), next: next - bytes.length + line })
    }
    const rest = bytes.subarray(line)
    if (rest.length === 0) return
    if (this.#passing) return this.#emit({ from: this.#from, bytes: rest, next })
    this.#held.push({ from: this.#from, bytes: rest, next })
    this.#heldBytes += rest.length
    if (this.#heldBytes > MAX_HELD_BYTES) {
      this.#flush()
      this.#passing = true
    }
  }

  /** Ends a redrawn line with its newline. */
  newline(next: number): void {
    this.#next = next
    this.#flush("\n")
  }

  /** To the first column; `next` is the cursor after the carriage return. */
  carriageReturn(next: number): void {
    if (this.#passing) {
      // The beginning is already handed on: the rest is a line of its own.
      this.#emit({ from: this.#from, bytes: Uint8Array.of(NEWLINE), next })
      this.#passing = false
    } else if (this.#heldBytes > 0 || this.#cells !== undefined) {
      this.#redraw()
      this.#column = 0
    }
  }

  backspace(): void {
    this.#moveTo(() => this.#column - 1)
  }

  /** Acts on a control sequence as far as it is about this line. */
  control(final: string, parameters: string): void {
    const number = Number(/^\d{1,4}$/.exec(parameters)?.[0] ?? 0)
    switch (final) {
      case "G":
        return this.#moveTo(() => Math.max(1, number) - 1)
      case "C":
        return this.#moveTo(() => this.#column + Math.max(1, number))
      case "D":
        return this.#moveTo(() => this.#column - Math.max(1, number))
      case "J":
        // Below the line there is nothing yet.
        return number === 0 ? this.#erase(0) : undefined
      case "K":
        return this.#erase(number)
      default:
        return undefined
    }
  }

  /** Hands on the held bytes. */
  end(): void {
    this.#flush()
  }

  #moveTo(column: () => number): void {
    if (this.#passing) return
    this.#redraw()
    this.#column = Math.min(MAX_COLUMNS, Math.max(0, column()))
  }

  #erase(which: number): void {
    if (this.#passing || (which === 0 && this.#cells === undefined)) return
    this.#redraw()
    const cells = this.#cells!
    if (which === 0) cells.splice(this.#column)
    else if (which === 1) cells.fill(" ", 0, this.#column + 1)
    else cells.length = 0
  }

  /** From here on by columns. */
  #redraw(): void {
    if (this.#cells !== undefined) return
    const [first] = this.#held
    this.#begin = first === undefined ? this.#next : first.next - first.bytes.length
    this.#decoder = new TextDecoder()
    this.#cells = []
    this.#column = 0
    const held = this.#held
    this.#held = []
    this.#heldBytes = 0
    for (const { bytes } of held) this.#put(this.#decoder.decode(bytes, { stream: true }))
  }

  #put(text: string): void {
    const cells = this.#cells!
    const characters = [...text]
    for (const [at, character] of characters.entries()) {
      if (cells.length < this.#column) this.#fill(cells)
      cells[this.#column++] = character
      this.#blanksLeft += BLANKS_EACH
      if (cells.length < MAX_COLUMNS) continue
      this.#flush()
      this.#passing = true
      for (let rest = at + 1; rest < characters.length; rest += MAX_COLUMNS) {
        const bytes = encoder.encode(characters.slice(rest, rest + MAX_COLUMNS).join(""))
        this.#emit({ from: this.#from, bytes, begin: this.#next, next: this.#next })
      }
      return
    }
  }

  /** Fills the cells up to the cursor with blanks. Beyond the limit, an ellipsis stands for them. */
  #fill(cells: Array<string>): void {
    const count = this.#column - cells.length
    this.#blanksLeft -= count
    if (this.#blanksLeft >= 0) { while (cells.length < this.#column) cells.push(" ") }
    else {
      this.#blanksLeft += count
      this.#column = cells.push("…")
    }
  }

  #flush(end = ""): void {
    const cells = this.#cells
    if (cells === undefined) {
      for (const piece of this.#held) this.#emit(piece)
    } else {
      const text = cells.join("")
      // Programs write spaces over the rest of a longer text.
      const bytes = encoder.encode((end === "" ? text : text.trimEnd()) + end)
      if (bytes.length > 0) this.#emit({ from: this.#from, bytes, begin: this.#begin, next: this.#next })
    }
    this.#cells = undefined
    this.#held = []
    this.#heldBytes = 0
    this.#passing = false
  }
}
