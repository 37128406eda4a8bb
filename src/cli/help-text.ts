/** A term and its description. */
export type Row = readonly [term: string, description: string]

/** A page of help, block by block. */
export type Help = ReadonlyArray<
  | { readonly _tag: "Header" | "Paragraph"; readonly text: string }
  /** Typed or read as they are. */
  | { readonly _tag: "Lines"; readonly lines: ReadonlyArray<string> }
  | { readonly _tag: "Rows"; readonly rows: ReadonlyArray<Row> }
>

/** Where descriptions begin at the latest; a longer term has a line of its own. */
const COLUMN = 36

/** Help as plain text in lines of at most `width` columns: descriptions stand beside their terms, and verbatim lines stay whole. */
export const helpText = (help: Help, width: number): string =>
  help.map((block, at) => (at > 0 && !isUnderHeader(help, at) ? "\n" : "") + blockText(block, width)).join("")

/** A header and its first block stand together. */
const isUnderHeader = (help: Help, at: number) => help[at - 1]?._tag === "Header"

const blockText = (block: Help[number], width: number): string => {
  switch (block._tag) {
    case "Header":
      return `${block.text}\n`
    case "Paragraph":
      return block.text.split("\n").map((line) => `${wrapped(line, { indent: 0, width })}\n`).join("")
    case "Lines":
      return block.lines.map((line) => `  ${line}\n`).join("")
    case "Rows":
      return definitionLines(block.rows, width)
  }
}

const definitionLines = (rows: ReadonlyArray<Row>, width: number): string => {
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
