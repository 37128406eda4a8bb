import { SerializeAddon } from "@xterm/addon-serialize"
import headless from "@xterm/headless"
import type { IUnicodeVersionProvider } from "@xterm/headless"
import stringWidth from "string-width"

// The terminal emulator. The build makes a separate file of this module, which a process loads with its first screen.

export { SerializeAddon }
export const { Terminal } = headless

/** Columns of each character that was seen. 3: not known yet. */
const known = new Uint8Array(0x110000).fill(3)
const UNKNOWN = 3

const wcwidth = (codepoint: number): 0 | 1 | 2 => {
  if (codepoint < 0x7f) return codepoint < 0x20 ? 0 : 1
  const seen = known[codepoint]
  if (seen !== undefined && seen !== UNKNOWN) return seen as 0 | 1 | 2
  const width = Math.min(2, stringWidth(String.fromCodePoint(codepoint))) as 0 | 1 | 2
  known[codepoint] = width
  return width
}

/** Combining marks of one cell. Each one makes the emulator's text of the cell longer, so a further mark takes a cell of its own. */
const MAX_MARKS = 8

/** Width of the character before, and number of its marks, in the state that the emulator keeps of it. */
const widthIn = (state: number) => (state >> 1) & 3
const marksIn = (state: number) => state >> 3

/**
 * Widths of characters, as in the tables of the C libraries of today's guests. The emulator's own tables are of Unicode 6, where emoji
 * take one column, and the rest of a line would be in the wrong place.
 */
export const widths: IUnicodeVersionProvider = {
  version: "guest",
  wcwidth,
  charProperties: (codepoint, preceding) => {
    const own = wcwidth(codepoint)
    const before = widthIn(preceding)
    if (own > 0 || before === 0) return own << 1
    const marks = marksIn(preceding)
    return marks < MAX_MARKS ? ((marks + 1) << 3) | (before << 1) | 1 : 1 << 1
  }
}
