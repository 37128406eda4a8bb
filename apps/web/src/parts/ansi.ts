/** How text looks: colors by their number in the palette or as `#rrggbb`, and attributes. */
export interface Look {
  readonly fg?: number | string | undefined
  readonly bg?: number | string | undefined
  readonly bold?: boolean
  readonly dim?: boolean
  readonly italic?: boolean
  readonly underline?: boolean
  readonly inverse?: boolean
}

interface Span {
  readonly text: string
  readonly look: Look
}

export type Line = ReadonlyArray<Span>

const PLAIN: Look = {}

const hex = (value: number | undefined) => Math.min(255, value ?? 0).toString(16).padStart(2, "0")

/** Color of `38;…` or `48;…`, and how many numbers it took. */
const colorOf = (
  codes: ReadonlyArray<number>,
  at: number
): readonly [color: number | string | undefined, taken: number] =>
  codes[at] === 5
    ? [Math.min(255, codes[at + 1] ?? 0), 2]
    : codes[at] === 2
    ? [`#${hex(codes[at + 1])}${hex(codes[at + 2])}${hex(codes[at + 3])}`, 4]
    : [undefined, 1]

const ATTRIBUTES: ReadonlyMap<number, Look> = new Map<number, Look>([
  [1, { bold: true }],
  [2, { dim: true }],
  [3, { italic: true }],
  [4, { underline: true }],
  [7, { inverse: true }],
  [22, { bold: false, dim: false }],
  [23, { italic: false }],
  [24, { underline: false }],
  [27, { inverse: false }],
  [39, { fg: undefined }],
  [49, { bg: undefined }]
])

/** The look after "select graphic rendition" (ECMA-48, 8.3.117). */
const rendition = (look: Look, parameters: string): Look => {
  const codes = parameters.split(/[;:]/).map(Number)
  let next = look
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at]!
    if (code === 0) next = PLAIN
    else if (code === 38 || code === 48) {
      const [color, taken] = colorOf(codes, at + 1)
      next = { ...next, [code === 38 ? "fg" : "bg"]: color }
      at += taken
    } else if (code >= 30 && code <= 37) next = { ...next, fg: code - 30 }
    else if (code >= 90 && code <= 97) next = { ...next, fg: code - 82 }
    else if (code >= 40 && code <= 47) next = { ...next, bg: code - 40 }
    else if (code >= 100 && code <= 107) next = { ...next, bg: code - 92 }
    else next = { ...next, ...ATTRIBUTES.get(code) }
  }
  return next
}

// CSI, OSC and other strings up to their end or to the escape that breaks them off, two-character escapes, controls, and runs of text.
const TOKEN =
  /\u001b\[([0-?]*)[ -/]*([@-~])|\u001b([\]PX^_])[^\u0007\u001b]*(?:\u0007|\u001b\\|(?=\u001b)|($))|\u001b[ -/]*[0-~]|([\u0000-\u0008\u000a-\u001f])|[^\u0000-\u0008\u000a-\u001f]+|\u001b/g

/** Maximum spans of a page that have a look: each is an element and a text in the browser, some 3 kB. Text beyond them is plain. */
const MOST_LOOKS = 16_384

/** One object for all equal looks, so that a guest who asks for the same look again and again makes one span. */
const makeLooks = () => {
  const known = new Map<string, Look>([[keyOf(PLAIN), PLAIN]])
  return (look: Look): Look => {
    const key = keyOf(look)
    const first = known.get(key) ?? look
    known.set(key, first)
    return first
  }
}

const keyOf = ({ bg, bold, dim, fg, inverse, italic, underline }: Look) =>
  [fg, bg, ...[bold, dim, italic, underline, inverse].map((one) => one === true ? 1 : 0)].join()

/** Blank cells that a page of output may have, besides those of each character. */
const FREE_BLANKS = 16_384

/** Blank cells that each character of output adds. Tables of ordinary programs need fewer. */
const BLANKS_EACH = 4

/** Stands for blanks beyond the limit. No look of a guest is this object, and the page shows it dim. */
const CUT: Look = { dim: true }

/** Blank cells that the moves of a cursor may still fill. They cost a guest some bytes each time, and the browser thousands of cells. */
class Blanks {
  #left = FREE_BLANKS

  add(characters: number) {
    this.#left += BLANKS_EACH * characters
  }

  take(cells: number): boolean {
    if (cells > this.#left) return false
    this.#left -= cells
    return true
  }
}

/** A line that is being written, as on a terminal: a carriage return goes back, and later characters replace earlier ones. */
class OpenLine {
  readonly #blanks: Blanks
  #characters: Array<string> = []
  #looks: Array<Look> = []
  #column = 0
  /** The cells before this column are erased already. */
  #erasedTo = 0

  constructor(blanks: Blanks) {
    this.#blanks = blanks
  }

  write(text: string, look: Look) {
    this.#fill()
    for (const character of text) this.#put(this.#column++, character, look)
  }

  /** Fills the cells between the end of the line and the cursor. */
  #fill() {
    const end = this.#characters.length
    if (this.#column <= end) return
    if (this.#blanks.take(this.#column - end)) {
      while (this.#characters.length < this.#column) this.#put(this.#characters.length, " ", PLAIN)
    } else {
      this.#put(end, "…", CUT)
      this.#column = end + 1
    }
  }

  #put(at: number, character: string, look: Look) {
    this.#characters[at] = character
    this.#looks[at] = look
    this.#erasedTo = Math.min(this.#erasedTo, at)
  }

  moveTo(column: number) {
    this.#column = Math.max(0, Math.min(column, MOST_COLUMNS))
  }

  moveBy(columns: number) {
    const to = this.#column + columns
    // A longer line has characters up to here: the cursor goes back by columns from there.
    if (to > MOST_COLUMNS) this.#column = Math.max(Math.min(to, this.#column), MOST_COLUMNS)
    else this.moveTo(to)
  }

  /** 0: from here to the end; 1: to here; 2: all. */
  erase(what: number) {
    const length = this.#characters.length
    if (what === 0) this.#cut(Math.min(this.#column, length))
    else if (what === 2 || this.#column + 1 >= length) this.#cut(0)
    else {
      this.#characters.fill(" ", this.#erasedTo, this.#column + 1)
      this.#looks.fill(PLAIN, this.#erasedTo, this.#column + 1)
      this.#erasedTo = Math.max(this.#erasedTo, this.#column + 1)
    }
  }

  #cut(length: number) {
    this.#characters.length = this.#looks.length = length
    this.#erasedTo = Math.min(this.#erasedTo, length)
  }

  /** The line, with at most `most` spans that have a look. */
  line(most: number): Line {
    const spans: Array<{ text: string; look: Look }> = []
    let left = most
    for (const [at, character] of this.#characters.entries()) {
      const own = this.#looks[at]!
      const last = spans.at(-1)
      const look = own === last?.look || left > 0 ? own : PLAIN
      if (look !== last?.look && look !== PLAIN) left--
      if (last?.look === look) last.text += character
      else spans.push({ text: character, look })
    }
    return spans
  }
}

/** Lines that are rendered together, once. */
const BLOCK_LINES = 200

/** Columns beyond which a guest cannot move: each move could fill as many cells. */
const MOST_COLUMNS = 4_096

/**
 * Output of a command as lines with looks: colors, carriage returns, backspaces and erased ends of lines are as on a terminal. Sequences that move
 * between lines, set titles or ask the terminal have no effect. The lines have at most five cells for each character of output, and some more, and
 * at most `MOST_LOOKS` spans with a look.
 */
export class AnsiLines {
  readonly #blocks: Array<Array<Line>> = [[]]
  readonly #blanks = new Blanks()
  readonly #sameLook = makeLooks()
  #looksLeft = MOST_LOOKS
  #open = new OpenLine(this.#blanks)
  #look: Look = PLAIN
  /** The start of a sequence that the next text ends. */
  #cut = ""
  /** The text so far ends within a string, which may have any length. */
  #inString = false

  push(more: string) {
    const text = this.#cut + more
    const cut = /\u001b(?:\[[0-?]*)?[ -/]*$/.exec(text)
    this.#cut = cut?.[0] ?? ""
    const whole = this.#afterString(text.slice(0, cut?.index))
    for (const [token, parameters, final, string, atEnd, control] of whole.matchAll(TOKEN)) {
      if (string !== undefined) this.#inString = atEnd !== undefined
      else if (final !== undefined) this.#sequence(parameters!, final)
      else if (control !== undefined) this.#control(control)
      else if (!token.startsWith("\u001b")) this.#open.write(token, this.#look)
      this.#blanks.add(token.length)
    }
  }

  /** The text behind the rest of a string that an earlier text began. */
  #afterString(text: string): string {
    if (!this.#inString) return text
    const end = /\u0007|\u001b\\?/.exec(text)
    if (end === null) return ""
    this.#inString = false
    // Another escape breaks the string off, and counts.
    return text.slice(end[0] === "\u001b" ? end.index : end.index + end[0].length)
  }

  #control(control: string) {
    if (control === "\n") {
      const line = this.#open.line(this.#looksLeft)
      this.#looksLeft -= line.filter(({ look }) => look !== PLAIN).length
      this.#blocks.at(-1)!.push(line)
      if (this.#blocks.at(-1)!.length === BLOCK_LINES) this.#blocks.push([])
      this.#open = new OpenLine(this.#blanks)
    } else if (control === "\r") this.#open.moveTo(0)
    else if (control === "\b") this.#open.moveBy(-1)
  }

  #sequence(parameters: string, final: string) {
    const count = Number.parseInt(parameters, 10) || 0
    if (final === "m") this.#look = this.#sameLook(rendition(this.#look, parameters))
    else if (final === "K") this.#open.erase(count)
    else if (final === "G") this.#open.moveTo(count - 1)
    else if (final === "C") this.#open.moveBy(Math.max(1, count))
    else if (final === "D") this.#open.moveBy(-Math.max(1, count))
  }

  /** The lines in blocks. A complete block stays the same array; the last one has the line that is being written, too. */
  blocks(): ReadonlyArray<ReadonlyArray<Line>> {
    return [...this.#blocks.slice(0, -1), [...this.#blocks.at(-1)!, this.#open.line(this.#looksLeft)]]
  }
}
