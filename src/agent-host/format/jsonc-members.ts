import type { Node } from "jsonc-parser"

/** How a text is laid out. */
export interface Layout {
  readonly unit: string
  readonly eol: "\r\n" | "\n"
}

export const layoutOf = (text: string): Layout => ({
  unit: /^([ \t]+)\S/m.exec(text)?.[1] ?? "  ",
  eol: /\r\n/.test(text) ? "\r\n" : "\n"
})

const endOf = ({ length, offset }: Node) => offset + length

/** Text of the line before an offset. */
const lineBefore = (text: string, offset: number) => text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset)

const indentAt = (text: string, offset: number) => /^[ \t]*/.exec(lineBefore(text, offset))![0]

const beginsLine = (text: string, { offset }: Node) => /^[ \t]*$/.test(lineBefore(text, offset))

/** Offset behind white space and comments; `toLineEnd` stops before the end of the line. */
const skipBlank = (text: string, from: number, toLineEnd = false): number => {
  const blank = toLineEnd ? /(?:[ \t]|\/\*.*?\*\/|\/\/[^\r\n]*)*/y : /(?:\s|\/\*[^]*?\*\/|\/\/[^\r\n]*)*/y
  blank.lastIndex = from
  return from + blank.exec(text)![0].length
}

/** Offset of the comma behind a member; undefined if there is none. */
const commaAfter = (text: string, member: Node): number | undefined => {
  const next = skipBlank(text, endOf(member))
  return text[next] === "," ? next : undefined
}

/** A value in the layout of a text, for a line with this indentation. */
export const valueText = (value: unknown, { eol, unit }: Layout, indent: string): string =>
  JSON.stringify(value, undefined, unit).replaceAll("\n", eol + indent)

/** Adds a member at the end of an object or a list. `member` gives its text for an indentation. */
export const insertMember = (
  text: string,
  container: Node,
  layout: Layout,
  member: (indent: string) => string
): string => {
  const { children = [], offset } = container
  const last = children.at(-1)
  const outer = indentAt(text, offset)
  if (last === undefined) {
    const inner = text.slice(offset + 1, endOf(container) - 1)
    const line = layout.eol + outer + layout.unit + member(outer + layout.unit)
    const rest = inner.trim() === "" ? layout.eol + outer : inner
    return text.slice(0, offset + 1) + line + rest + text.slice(endOf(container) - 1)
  }
  const comma = commaAfter(text, last)
  if (!beginsLine(text, last)) {
    const at = comma ?? endOf(last)
    return `${text.slice(0, at)}, ${member(outer)}${text.slice(at)}`
  }
  const indent = indentAt(text, last.offset)
  const separated = comma === undefined ? `${text.slice(0, endOf(last))},${text.slice(endOf(last))}` : text
  // A comment behind the last member stays in its line.
  const at = skipBlank(separated, (comma ?? endOf(last)) + 1, true)
  return separated.slice(0, at) + layout.eol + indent + member(indent) + (comma === undefined ? "" : ",") +
    separated.slice(at)
}

/** Removes a member of an object or a list, with its comma. */
export const removeMember = (text: string, container: Node, index: number): string => {
  const { children = [] } = container
  const member = children[index]!
  const comma = commaAfter(text, member)
  const previous = children[index - 1]
  const isLast = index === children.length - 1
  const lineStart = beginsLine(text, member) ? member.offset - lineBefore(text, member.offset).length : undefined
  const end = comma === undefined ? endOf(member) : comma + 1
  if (lineStart === undefined) {
    // Within a line the comma before the last member goes, and the comma after any other.
    const previousComma = previous === undefined ? undefined : commaAfter(text, previous)
    return isLast && previousComma !== undefined
      ? text.slice(0, previousComma) + text.slice(endOf(member))
      : text.slice(0, member.offset) + text.slice(skipSpaces(text, end))
  }
  const lineEnd = /[ \t]*(?:\r?\n)?/y
  lineEnd.lastIndex = end
  const after = text.slice(end + lineEnd.exec(text)![0].length)
  const before = text.slice(0, lineStart)
  // A comment in front of the only member keeps its line: what closes the container would become a part of it.
  const isAlone = children.length === 1 && text.slice(container.offset + 1, lineStart).trim() === ""
  if (isAlone) return before.trimEnd() + after.trimStart()
  const previousComma = previous === undefined ? undefined : commaAfter(text, previous)
  return isLast && comma === undefined && previousComma !== undefined
    ? before.slice(0, previousComma) + before.slice(previousComma + 1) + after
    : before + after
}

const skipSpaces = (text: string, from: number) => from + /^[ \t]*/.exec(text.slice(from))![0].length
