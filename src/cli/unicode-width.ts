import stringWidth from "string-width"
import type { TextWidth } from "./text-width.ts"

const segmenter = new Intl.Segmenter()

/** The layout of any text: wide characters, emoji and combining marks count as terminals show them. */
export const unicodeWidth: TextWidth = {
  columns: (text) => stringWidth(text),
  clusters: (text) => Array.from(segmenter.segment(text), ({ segment }) => segment)
}
