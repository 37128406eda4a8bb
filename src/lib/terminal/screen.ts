import type { SerializeAddon } from "@xterm/addon-serialize"
import type { IBuffer, IMarker, Terminal } from "@xterm/headless"
import { boundWork, coreOf } from "./emulator/limits.ts"
import type * as Xterm from "./emulator/xterm.ts"

/** The text of a buffer from a row on. Joins rows that the terminal wrapped, and removes blanks at the ends of lines and of the text. */
const joinedRows = (buffer: IBuffer, from: number): ReadonlyArray<string> => {
  let first = from
  while (first > 0 && buffer.getLine(first)?.isWrapped === true) first--
  // The beginning of this line is gone: the rest could be half a word, or half a secret.
  while (first < buffer.length && first === 0 && buffer.getLine(first)?.isWrapped === true) first++
  const lines: Array<string> = []
  for (let row = first; row < buffer.length; row++) {
    const line = buffer.getLine(row)
    if (line === undefined) break
    const text = line.translateToString(true)
    if (line.isWrapped && lines.length > 0) lines[lines.length - 1] += text
    else lines.push(text)
  }
  const trimmed = lines.map((line) => line.trimEnd())
  while (trimmed.at(-1) === "") trimmed.pop()
  return trimmed
}

export interface ScreenSize {
  readonly cols: number
  readonly rows: number
}

/** Cells above the screen that are kept: some 12 MB in all. */
const SCROLLED_CELLS = 1_000_000
/** Lines above the screen that are kept. */
const SCROLLED_LINES = 10_000

/** Memory of the emulator without a line, and of one cell, in bytes: the emulator stores three numbers of 32 bits a cell. */
const EMPTY_BYTES = 300_000
const CELL_BYTES = 12

/** Text of a terminal from a line on. */
export interface ScreenText {
  /** Lines without blanks at their ends. A line that the terminal wrapped is one line. */
  readonly lines: ReadonlyArray<string>
  /** Lines between the requested position and these lines are gone. */
  readonly isCut: boolean
  /** A full-screen program runs: the lines are the whole screen. */
  readonly isAlternate: boolean
}

/** The topmost line that the program has touched since some moment. It follows the line while the text scrolls. */
export interface ScreenMark {
  marker: IMarker | undefined
}

/** Private modes that switch to the screen of a full-screen program. */
const ALTERNATE = [47, 1047, 1049]

/**
 * A virtual terminal: takes a program's output, and returns the text that a person would see. It does not answer queries of the
 * program, such as device status, and ignores requests to the host, such as clipboard or title.
 */
export class Screen {
  readonly #terminal: Terminal
  readonly #serializer: SerializeAddon
  readonly #beginWrite: () => void
  #decoder = new TextDecoder("utf-8", { ignoreBOM: true })
  readonly #marks = new Set<ScreenMark>()
  /** Position of the cursor when the full-screen program began. */
  #beforeAlternate: IMarker | undefined

  constructor({ SerializeAddon, Terminal, widths }: typeof Xterm, size: ScreenSize) {
    this.#terminal = new Terminal({
      ...size,
      scrollback: scrollbackOf(size),
      allowProposedApi: true,
      logLevel: "off"
    })
    this.#terminal.unicode.register(widths)
    this.#terminal.unicode.activeVersion = widths.version
    this.#serializer = new SerializeAddon()
    this.#terminal.loadAddon(this.#serializer)
    this.#followCursor()
    // Registered last, so that it runs first: an ignored sequence moves no mark.
    this.#beginWrite = boundWork(this.#terminal)
  }

  /** A full-screen program has the terminal. */
  get isAlternate(): boolean {
    return this.#terminal.buffer.active.type === "alternate"
  }

  /** The program has asked for application cursor keys. */
  get hasApplicationKeys(): boolean {
    return this.#terminal.modes.applicationCursorKeysMode
  }

  /** Takes output, which may begin and end within a character or a sequence. Throws if the emulator throws: the screen is then unusable. */
  write(bytes: Uint8Array): void {
    const text = this.#decoder.decode(bytes, { stream: true })
    if (text === "") return
    this.#beginWrite()
    coreOf(this.#terminal).writeSync(text)
  }

  resize(size: ScreenSize): void {
    this.#terminal.options.scrollback = scrollbackOf(size)
    this.#terminal.resize(size.cols, size.rows)
  }

  /** Marks the line of the cursor. `release` ends the mark. */
  mark(): ScreenMark {
    const mark: ScreenMark = { marker: this.isAlternate ? this.#beforeAlternate : this.#terminal.registerMarker(0) }
    this.#marks.add(mark)
    return mark
  }

  release(mark: ScreenMark): void {
    this.#marks.delete(mark)
    this.#drop(mark.marker)
  }

  /** The text from a mark on, or from the first line. */
  textFrom(mark?: ScreenMark): ScreenText {
    const { buffer } = this.#terminal
    if (this.isAlternate) {
      return { lines: joinedRows(buffer.active, 0), isCut: false, isAlternate: true }
    }
    const line = mark === undefined ? 0 : mark.marker?.line ?? -1
    const isCut = (mark === undefined || line < 0) && this.#isFull(buffer.normal)
    // The program has deleted the mark and nothing scrolled: only its screen can have changed.
    const from = line < 0 && !isCut ? buffer.normal.baseY : Math.max(0, line)
    return { lines: joinedRows(buffer.normal, from), isCut, isAlternate: false }
  }

  /** The rows of the screen. A line that the terminal wrapped is several rows. */
  rows(): ReadonlyArray<string> {
    const { active } = this.#terminal.buffer
    return Array.from(
      { length: this.#terminal.rows },
      (_, row) => active.getLine(active.baseY + row)?.translateToString(true) ?? ""
    )
  }

  /** Sequences that paint this screen on a terminal of the same size. Undefined if they have more than `maxLength` characters. */
  painted(maxLength = Infinity): string | undefined {
    const painted = this.#serializer.serialize({ scrollback: 0 })
    return painted.length > maxLength ? undefined : painted
  }

  /** Approximate memory of the emulator in bytes. */
  get bytes(): number {
    const { buffer: { alternate, normal }, cols } = this.#terminal
    return EMPTY_BYTES + CELL_BYTES * cols * (normal.length + alternate.length)
  }

  dispose(): void {
    this.#terminal.dispose()
  }

  /** The buffer is full, so its first lines may be gone. */
  #isFull({ length }: IBuffer) {
    return length >= this.#terminal.rows + (this.#terminal.options.scrollback ?? 0)
  }

  /** Moves marks up with the cursor: a program that draws above a mark changes text that a reader has seen. */
  #followCursor() {
    const { parser } = this.#terminal
    const on = (final: string, row: (count: number, y: number) => number | undefined) => {
      parser.registerCsiHandler({ final }, ([first]) => {
        const count = typeof first === "number" ? first : 0
        const to = this.#marks.size === 0 || this.isAlternate ? undefined : row(count, this.#cursorRow)
        if (to !== undefined) this.#raise(Math.max(0, to))
        return false
      })
    }
    for (const final of "AF") on(final, (count, y) => y - Math.max(1, count))
    for (const final of "Hfd") on(final, (count) => Math.max(1, count) - 1)
    on("J", (count) => count === 2 || count === 3 ? 0 : undefined)
    parser.registerEscHandler({ final: "M" }, () => {
      if (this.#marks.size > 0 && !this.isAlternate) this.#raise(Math.max(0, this.#cursorRow - 1))
      return false
    })
    parser.registerCsiHandler({ prefix: "?", final: "h" }, (params) => {
      if (!this.isAlternate && params.some((mode) => typeof mode === "number" && ALTERNATE.includes(mode))) {
        const before = this.#beforeAlternate
        this.#beforeAlternate = this.#terminal.registerMarker(0)
        this.#drop(before)
      }
      return false
    })
  }

  /** Disposes a marker that no mark uses. Marks taken during one full-screen program share a marker. */
  #drop(marker: IMarker | undefined) {
    if (marker === this.#beforeAlternate || [...this.#marks].some((one) => one.marker === marker)) return
    marker?.dispose()
  }

  get #cursorRow() {
    return this.#terminal.buffer.active.cursorY
  }

  /** Moves marks below a row of the screen to the row. */
  #raise(row: number) {
    const to = this.#terminal.buffer.normal.baseY + row
    for (const mark of this.#marks) {
      if (mark.marker === undefined || mark.marker.line <= to) continue
      const before = mark.marker
      mark.marker = this.#terminal.registerMarker(row - this.#cursorRow)
      this.#drop(before)
    }
  }
}

const scrollbackOf = ({ cols }: ScreenSize) => Math.min(SCROLLED_LINES, Math.floor(SCROLLED_CELLS / cols))
