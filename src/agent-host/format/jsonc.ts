import { Result } from "effect"
import type { Node } from "jsonc-parser"
import { at, type Change, changed, type Format, isEqual, placeOf } from "./document.ts"
import { findNodeAtLocation, getNodeValue, parseJsonc, parseTree, printParseErrorCode } from "./parsers.ts"

const options = { allowTrailingComma: true }

/** JSON with comments and trailing commas. */
export const jsonc: Format = {
  parse: (text) => {
    if (text.trim() === "") return Result.succeed({})
    const errors: Parameters<typeof parseJsonc>[1] = []
    const value: unknown = parseJsonc(text, errors, options)
    const [first] = errors
    return first === undefined
      ? Result.succeed(value)
      : Result.fail(`it is no JSON (${printParseErrorCode(first.error)} at ${placeOf(text, first.offset)})`)
  },
  change: (text, value, change) => {
    if (text.trim() === "") return `${JSON.stringify(changed({}, change), undefined, 2)}\n`
    return changedText(text, parseTree(text, [], options)!, value, change)
  }
}

const changedText = (text: string, root: Node, value: unknown, change: Change): string => {
  const { path } = change
  const layout = layoutOf(text)
  const found = findNodeAtLocation(root, [...path])
  const wanted = at(changed(value, change), path)
  if (found !== undefined) {
    if (wanted === undefined) return withoutMember(text, found.parent!)
    if (change._tag === "add" && found.type === "array") {
      return insertMember(text, found, layout, () => JSON.stringify(change.item))
    }
    if (change._tag === "take") {
      return withoutMember(
        text,
        (found.children ?? []).find((one) => isEqual(getNodeValue(one), change.item))!
      )
    }
    const indent = /^[ \t]*/.exec(text.slice(text.lastIndexOf("\n", found.offset) + 1))![0]
    return text.slice(0, found.offset) + valueText(wanted, layout, indent) + text.slice(found.offset + found.length)
  }
  // The nearest table above the value gets one key, with the tables between.
  let depth = path.length - 1
  while (findNodeAtLocation(root, path.slice(0, depth)) === undefined) depth -= 1
  const inner = path.slice(depth + 1).reduceRight<unknown>((rest, key) => ({ [key]: rest }), wanted)
  const container = findNodeAtLocation(root, path.slice(0, depth))!
  return insertMember(
    text,
    container,
    layout,
    (indent) => `${JSON.stringify(path[depth])}: ${valueText(inner, layout, indent)}`
  )
}

const withoutMember = (text: string, member: Node): string =>
  removeMember(text, member.parent!, member.parent!.children!.indexOf(member))

/** Indentation and end of line of a text. */
interface Layout {
  readonly unit: string
  readonly eol: "\r\n" | "\n"
}

const layoutOf = (text: string): Layout => ({
  unit: /^([ \t]+)\S/m.exec(text)?.[1] ?? "  ",
  eol: /\r\n/.test(text) ? "\r\n" : "\n"
})

const endOf = ({ length, offset }: Node) => offset + length

/** Text of the line before an offset. */
const lineBefore = (text: string, offset: number) => text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset)

const indentAt = (text: string, offset: number) => /^[ \t]*/.exec(lineBefore(text, offset))![0]

const beginsLine = (text: string, { offset }: Node) => /^[ \t]*$/.test(lineBefore(text, offset))

/** Offset after white space and comments; `toLineEnd` stops before the end of the line. */
const skipBlank = (text: string, from: number, toLineEnd = false): number => {
  const blank = toLineEnd ? /(?:[ \t]|\/\*.*?\*\/|\/\/[^\r\n]*)*/y : /(?:\s|\/\*[^]*?\*\/|\/\/[^\r\n]*)*/y
  blank.lastIndex = from
  return from + blank.exec(text)![0].length
}

/** Offset of the comma after a member; undefined if there is none. */
const commaAfter = (text: string, member: Node): number | undefined => {
  const next = skipBlank(text, endOf(member))
  return text[next] === "," ? next : undefined
}

/** A value in the layout of a text, for a line with this indentation. */
const valueText = (value: unknown, { eol, unit }: Layout, indent: string): string =>
  JSON.stringify(value, undefined, unit).replaceAll("\n", eol + indent)

/** Adds a member at the end of an object or a list. `member` gives its text for an indentation. */
const insertMember = (
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
  // A comment after the last member stays on its line.
  const at = skipBlank(separated, (comma ?? endOf(last)) + 1, true)
  return separated.slice(0, at) + layout.eol + indent + member(indent) + (comma === undefined ? "" : ",") +
    separated.slice(at)
}

/** Removes a member of an object or a list, with its comma. */
const removeMember = (text: string, container: Node, index: number): string => {
  const { children = [] } = container
  const member = children[index]!
  const comma = commaAfter(text, member)
  const previous = children[index - 1]
  const isLast = index === children.length - 1
  const lineStart = beginsLine(text, member) ? member.offset - lineBefore(text, member.offset).length : undefined
  const end = comma === undefined ? endOf(member) : comma + 1
  if (lineStart === undefined) {
    // Within a line, remove the comma before the last member, or the comma after any other member.
    const previousComma = previous === undefined ? undefined : commaAfter(text, previous)
    return isLast && previousComma !== undefined
      ? text.slice(0, previousComma) + text.slice(endOf(member))
      : text.slice(0, member.offset) + text.slice(skipSpaces(text, end))
  }
  const lineEnd = /[ \t]*(?:\r?\n)?/y
  lineEnd.lastIndex = end
  const after = text.slice(end + lineEnd.exec(text)![0].length)
  const before = text.slice(0, lineStart)
  // A comment before the only member keeps its line: the closing bracket would become a part of the comment.
  const isAlone = children.length === 1 && text.slice(container.offset + 1, lineStart).trim() === ""
  if (isAlone) return before.trimEnd() + after.trimStart()
  const previousComma = previous === undefined ? undefined : commaAfter(text, previous)
  return isLast && comma === undefined && previousComma !== undefined
    ? before.slice(0, previousComma) + before.slice(previousComma + 1) + after
    : before + after
}

const skipSpaces = (text: string, from: number) => from + /^[ \t]*/.exec(text.slice(from))![0].length
