import * as HelpDoc from "@effect/cli/HelpDoc"
import type * as Span from "@effect/cli/HelpDoc/Span"

const WIDTH = 100
/** Where descriptions begin at the latest; a longer term has a line of its own. */
const COLUMN = 36

/**
 * A help document as plain text: descriptions stand beside their terms, and an enumeration is a list of lines. `HelpDoc.toAnsiText` gives
 * each description lines of its own and writes colours into pipes.
 */
export const helpText = (document: HelpDoc.HelpDoc): string => {
  const blocks = flat(document)
  return blocks
    .map((block, at) => (at > 0 && !isUnderHeader(blocks, at) ? "\n" : "") + blockText(block))
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

const blockText = (block: HelpDoc.HelpDoc): string => {
  switch (block._tag) {
    case "Header":
      return `${spanText(block.value)}\n`
    case "Paragraph":
      return spanText(block.value).split("\n").map((line) => `${wrapped(line, 0)}\n`).join("")
    case "Enumeration":
      return block.elements.map((element) =>
        `  ${HelpDoc.isParagraph(element) ? spanText(element.value) : blockText(element).trimEnd()}\n`
      ).join("")
    case "DescriptionList":
      return definitionLines(
        block.definitions.map(([term, description]) => [spanText(term), blockText(description).trimEnd()])
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

const definitionLines = (rows: ReadonlyArray<readonly [term: string, description: string]>): string => {
  const column = Math.min(COLUMN, Math.max(...rows.map(([term]) => term.length)) + 4)
  return rows.map(([term, description]) => {
    const text = wrapped(description, column)
    return term.length + 4 > column
      ? `  ${term}\n${text}\n`
      : `  ${term.padEnd(column - 2)}${text.trimStart()}\n`
  }).join("")
}

const wrapped = (text: string, indent: number): string => {
  const lines: Array<string> = []
  let line = ""
  for (const word of text.split(/[ \n]/)) {
    if (line !== "" && indent + line.length + 1 + word.length > WIDTH) {
      lines.push(line)
      line = word
    } else line = line === "" ? word : `${line} ${word}`
  }
  return [...lines, line].map((one) => " ".repeat(indent) + one).join("\n")
}
