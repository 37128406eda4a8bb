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

export interface Span {
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

// CSI, OSC and other strings up to their end, two-character escapes, controls, and runs of text.
const token =
  /\u001b\[([0-?]*)[ -/]*([@-~])|\u001b[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\|$)|\u001b[ -/]*[0-~]|([\u0000-\u0008\u000a-\u001f])|[^\u0000-\u0008\u000a-\u001f]+|\u001b/g

/** A line that is being written, as on a terminal: a carriage return goes back, and later characters replace earlier ones. */
class OpenLine {
  #characters: Array<string> = []
  #looks: Array<Look> = []
  #column = 0

  write(text: string, look: Look) {
    for (const character of text) {
      while (this.#characters.length < this.#column) this.#put(this.#characters.length, " ", PLAIN)
      this.#put(this.#column++, character, look)
    }
  }

  #put(at: number, character: string, look: Look) {
    this.#characters[at] = character
    this.#looks[at] = look
  }

  moveTo(column: number) {
    this.#column = Math.max(0, Math.min(column, MOST_COLUMNS))
  }

  moveBy(columns: number) {
    this.moveTo(this.#column + columns)
  }

  /** 0: from here to the end; 1: to here; 2: all. */
  erase(what: number) {
    if (what === 0) this.#characters.length = this.#looks.length = Math.min(this.#column, this.#characters.length)
    else {
      const end = what === 2 ? this.#characters.length : Math.min(this.#column + 1, this.#characters.length)
      for (let at = 0; at < end; at++) this.#put(at, " ", PLAIN)
    }
  }

  line(): Line {
    const spans: Array<{ text: string; look: Look }> = []
    for (const [at, character] of this.#characters.entries()) {
      const look = this.#looks[at]!
      const last = spans.at(-1)
      if (last?.look === look) last.text += character
      else spans.push({ text: character, look })
    }
    return spans
  }
}

/** Lines that are rendered together, once. */
const BLOCK_LINES = 200

/** Columns beyond which a guest cannot move: it could fill memory with blanks. */
const MOST_COLUMNS = 4_096

/**
 * Output of a command as lines with looks: colors, carriage returns, backspaces and erased ends of lines are as on a terminal. Sequences that move
 * between lines, set titles or ask the terminal have no effect.
 */
export class AnsiLines {
  readonly #blocks: Array<Array<Line>> = [[]]
  #open = new OpenLine()
  #look: Look = PLAIN
  /** The start of a sequence that the next text ends. */
  #cut = ""

  push(more: string) {
    const text = this.#cut + more

    const cut = /\u001b(?:\[[0-?]*[ -/]*|[\]PX^_][^\u0007\u001b]{0,4096}|)$/.exec(text)
    this.#cut = cut?.[0] ?? ""
    for (const [whole, parameters, final, control] of text.slice(0, cut?.index).matchAll(token)) {
      if (final !== undefined) this.#sequence(parameters!, final)
      else if (control !== undefined) this.#control(control)
      else if (!whole.startsWith("\u001b")) this.#open.write(whole, this.#look)
    }
  }

  #control(control: string) {
    if (control === "\n") {
      this.#blocks.at(-1)!.push(this.#open.line())
      if (this.#blocks.at(-1)!.length === BLOCK_LINES) this.#blocks.push([])
      this.#open = new OpenLine()
    } else if (control === "\r") this.#open.moveTo(0)
    else if (control === "\b") this.#open.moveBy(-1)
  }

  #sequence(parameters: string, final: string) {
    const count = Number.parseInt(parameters, 10) || 0
    if (final === "m") this.#look = rendition(this.#look, parameters)
    else if (final === "K") this.#open.erase(count)
    else if (final === "G") this.#open.moveTo(count - 1)
    else if (final === "C") this.#open.moveBy(Math.max(1, count))
    else if (final === "D") this.#open.moveBy(-Math.max(1, count))
  }

  /** The lines in blocks. A complete block stays the same array; the last one has the line that is being written, too. */
  blocks(): ReadonlyArray<ReadonlyArray<Line>> {
    return [...this.#blocks.slice(0, -1), [...this.#blocks.at(-1)!, this.#open.line()]]
  }
}
