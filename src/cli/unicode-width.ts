import stringWidth from "string-width"

const segmenter = new Intl.Segmenter()

/** The layout of any text: wide characters, emoji and combining marks count as terminals show them. */
export const unicodeWidth = {
  columns: (text: string): number => stringWidth(text),
  clusters: (text: string): ReadonlyArray<string> => Array.from(segmenter.segment(text), ({ segment }) => segment)
}
