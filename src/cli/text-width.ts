import { Effect } from "effect"

/** How a terminal lays text out. */
export interface TextWidth {
  /** Number of columns that the text occupies. */
  readonly columns: (text: string) => number
  /** The text in pieces that no cut may split: a letter with its accents, an emoji. */
  readonly clusters: (text: string) => ReadonlyArray<string>
}

const ASCII = /^[\0-\u007f]*$/

const asciiWidth: TextWidth = { columns: (text) => text.length, clusters: (text) => [...text] }

/**
 * The layout of texts. Unicode's tables cost some 20 ms to set up (`new Intl.Segmenter()`), so the layout of ASCII is done without
 * them.
 */
export const widthFor = (texts: ReadonlyArray<string>): Effect.Effect<TextWidth> =>
  texts.every((text) => ASCII.test(text))
    ? Effect.succeed(asciiWidth)
    : Effect.map(Effect.promise(() => import("./unicode-width.ts")), ({ unicodeWidth }) => unicodeWidth)

/** The longest beginning of the text, in clusters, that fits the columns. */
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
