import * as HelpDoc from "@effect/cli/HelpDoc"
import type * as Span from "@effect/cli/HelpDoc/Span"

/** Where descriptions begin at the latest; a longer term has a line of its own. */
const COLUMN = 36

/**
 * A help document as plain text in lines of at most `width` columns: descriptions stand beside their terms, and an enumeration is a list
 * of lines, which stay whole. `HelpDoc.toAnsiText` gives each description lines of its own and writes colours into pipes.
 */
export const helpText = (document: HelpDoc.HelpDoc, width: number): string => {
  const blocks = flat(document)
  return blocks
    .map((block, at) => (at > 0 && !isUnderHeader(blocks, at) ? "\n" : "") + blockText(block, width))
    .join("")
}

/** A header and its first block stand together. */
const isUnderHeader = (blocks: ReadonlyArray<HelpDoc.HelpDoc>, at: number) => blocks[at - 1]?._tag === "Header"

const flat = (document: HelpDoc.HelpDoc): ReadonlyArray<HelpDoc.HelpDoc> =>
  HelpDoc.isSequence(document)
    ? [...flat(document.left), ...flat(document.right)]
    : HelpDoc.isEmpty(document)
    ? []
    : [document]

const blockText = (block: HelpDoc.HelpDoc, width: number): string => {
  switch (block._tag) {
    case "Header":
      return `${spanText(block.value)}\n`
    case "Paragraph":
      return spanText(block.value).split("\n").map((line) => `${wrapped(line, { indent: 0, width })}\n`).join("")
    case "Enumeration":
      return block.elements.map((element) =>
        `  ${HelpDoc.isParagraph(element) ? spanText(element.value) : blockText(element, width).trimEnd()}\n`
      ).join("")
    case "DescriptionList":
      return definitionLines(
        // Of one line each: they are wrapped where they stand.
        block.definitions.map(([term, text]) => [spanText(term), blockText(text, Infinity).trimEnd()]),
        width
      )
    default:
      return ""
  }
}

const spanText = (span: Span.Span): string => {
  switch (span._tag) {
    case "Text":
    case "URI":
      return span.value
    case "Sequence":
      return spanText(span.left) + spanText(span.right)
    default:
      return spanText(span.value)
  }
}

const definitionLines = (
  rows: ReadonlyArray<readonly [term: string, description: string]>,
  width: number
): string => {
  const column = Math.min(COLUMN, Math.floor(width * 0.4), Math.max(...rows.map(([term]) => term.length)) + 4)
  return rows.map(([term, description]) => {
    const text = wrapped(description, { indent: column, width })
    return term.length + 4 > column
      ? `  ${term}\n${text}\n`
      : `  ${term.padEnd(column - 2)}${text.trimStart()}\n`
  }).join("")
}

const wrapped = (text: string, { indent, width }: { readonly indent: number; readonly width: number }): string => {
  const lines: Array<string> = []
  let line = ""
  for (const word of text.split(/[ \n]/)) {
    if (line !== "" && indent + line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === "" ? word : `${line} ${word}`
  }
  return [...lines, line].map((one) => " ".repeat(indent) + one).join("\n")
}
