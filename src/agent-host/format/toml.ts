import { Result } from "effect"
import { at, type Change, changed, endOfLine, type Format, isIn, isTable, withEndOfLine } from "./document.ts"
import { parseToml } from "./parsers.ts"

const keyText = (key: string) => /^[A-Za-z0-9_-]+$/.test(key) ? key : JSON.stringify(key)

const valueText = (value: unknown): string =>
  Array.isArray(value)
    ? `[${value.map(valueText).join(", ")}]`
    : isTable(value)
    ? `{ ${Object.entries(value).map(([key, one]) => `${keyText(key)} = ${valueText(one)}`).join(", ")} }`
    : typeof value === "object" && value !== null
    ? String(value)
    : JSON.stringify(value)

/** A table and the tables in it, each with its header. */
const tableText = (path: ReadonlyArray<string>, table: object): string => {
  const entries = Object.entries(table)
  const own = entries.filter(([, value]) => !isTable(value)).map(([key, value]) =>
    `${keyText(key)} = ${valueText(value)}\n`
  )
  const inner = entries.flatMap(([key, value]) => isTable(value) ? [tableText([...path, key], value)] : [])
  // A table that has only tables needs no header.
  const head = own.length > 0 || inner.length === 0 ? [`[${path.map(keyText).join(".")}]\n${own.join("")}`] : []
  return [...head, ...inner].join("\n")
}

/** TOML. pyro edits the text line by line, because no library keeps the comments of TOML. */
export const toml: Format = {
  parse: (text) =>
    Result.try({
      try: () => parseToml(text, { integersAsBigInt: "asNeeded" }) as unknown,
      catch: (cause) =>
        `it is no TOML (${String((cause as Error).message).split("\n")[0]?.replace(/^Invalid TOML document: /, "")}${
          placeText(cause)
        })`
    }),
  change: (text, value, change) => withEndOfLine(changedText(withEndOfLine(text, "\n"), value, change), endOfLine(text))
}

const placeText = (cause: unknown) => {
  const { column, line } = cause as { readonly line?: number; readonly column?: number }
  return line === undefined ? "" : ` at line ${line}, column ${column}`
}

const splice = (text: string, [start, end]: readonly [number, number], by: string) =>
  text.slice(0, start) + by + text.slice(end)

const changedText = (text: string, value: unknown, change: Change): string => {
  const { path } = change
  const statements = statementsOf(text)
  // An inline table, or one with dotted keys, is replaced as a whole.
  const inline = statements.find((one) => one.kind === "key" && one.path.length < path.length && isIn(path, one.path))
  if (inline !== undefined) return splice(text, inline.value, valueText(at(changed(value, change), inline.path)))
  const wanted = at(changed(value, change), path)
  if (wanted === undefined) return withoutPath(text, statements, path)
  const key = statements.find((one) => one.kind === "key" && isIn(one.path, path) && one.path.length === path.length)
  if (key !== undefined) return splice(text, key.value, valueText(wanted))
  const parent = path.slice(0, -1)
  if (isTable(wanted)) return insertSection(withoutPath(text, statements, path), path, tableText(path, wanted))
  const lines = `${keyText(path.at(-1)!)} = ${valueText(wanted)}`
  const inTable = lastOf(statements, parent)
  return inTable === undefined
    ? insertSection(text, path, tableText(parent, { [path.at(-1)!]: wanted }))
    : splice(text, [inTable.end, inTable.end], `\n${lines}`)
}

/** The last statement of a table's own section. */
const lastOf = (statements: ReadonlyArray<Statement>, table: ReadonlyArray<string>): Statement | undefined => {
  const header = statements.findIndex((one) =>
    one.kind === "table" && one.path.length === table.length && isIn(one.path, table)
  )
  if (header < 0) return undefined
  const next = statements.findIndex((one, index) => index > header && one.kind !== "key")
  return statements[(next < 0 ? statements.length : next) - 1]
}

/** Puts a section after the last one of the same server, else at the end. */
const insertSection = (text: string, path: ReadonlyArray<string>, section: string): string => {
  const last = statementsOf(text).findLast((one) => one.path.length >= 2 && isIn(one.path, path.slice(0, 2)))
  if (last !== undefined) return splice(text, [last.end, last.end], `\n\n${section.trimEnd()}`)
  const before = text.trimEnd()
  return before === "" ? text.trimStart() + section : `${before}\n\n${section}`
}

/** Removes each statement at or beneath a path, and the blank lines before a header. */
const withoutPath = (text: string, statements: ReadonlyArray<Statement>, path: ReadonlyArray<string>): string => {
  let result = text
  for (const [index, one] of [...statements.entries()].reverse()) {
    if (!isIn(one.path, path)) continue
    // Comments between the statements of a removed table are removed too.
    const next = statements[index + 1]
    const isInside = next !== undefined && next.kind === "key" && isIn(next.path, path) && one.kind !== "key" ||
      next !== undefined && next.kind === "key" && one.kind === "key" && isIn(next.path, path)
    const end = isInside ? next.start : Math.min(text.length, one.end + 1)
    const start = one.kind === "key" ? text.lastIndexOf("\n", one.start) + 1 : blankBefore(text, one.start)
    result = splice(result, [start, Math.max(start, end)], "")
  }
  return result
}

/** Offset of the first blank line before a line. */
const blankBefore = (text: string, offset: number): number => {
  const before = text.slice(0, offset)
  const kept = before.trimEnd()
  return kept === "" ? 0 : Math.min(offset, kept.length + 1)
}

/** A statement of a TOML document: a header of a table, or a key with its value. */
interface Statement {
  readonly kind: "table" | "array" | "key"
  /** Full path of the table or the key. */
  readonly path: ReadonlyArray<string>
  /** Offsets of the statement: from its first character to the end of its line, without the line's end. */
  readonly start: number
  readonly end: number
  /** Offsets of the value of a key, without a comment. */
  readonly value: readonly [start: number, end: number]
}

const QUOTES = ["\"\"\"", "'''", "\"", "'"] as const

/** Offset after a string that begins at `from`. */
const skipString = (text: string, from: number): number => {
  const quote = QUOTES.find((one) => text.startsWith(one, from))!
  for (let index = from + quote.length; index < text.length; index += 1) {
    if (quote.startsWith("\"") && text[index] === "\\") index += 1
    else if (text.startsWith(quote, index)) {
      let end = index + quote.length
      // A multi-line string may end with two quotes of its own.
      while (quote.length === 3 && text[end] === quote[0] && end - index < 5) end += 1
      return end
    }
  }
  return text.length
}

const skipComment = (text: string, from: number): number => {
  const end = text.indexOf("\n", from)
  return end < 0 ? text.length : end
}

/** Offset of the first character outside strings and brackets for which `stop` is true. */
const scan = (text: string, from: number, stop: (character: string) => boolean): number => {
  let depth = 0
  for (let index = from; index < text.length; index += 1) {
    const character = text[index]!
    if (depth === 0 && stop(character)) return index
    if (character === "\"" || character === "'") index = skipString(text, index) - 1
    else if (character === "#") index = skipComment(text, index) - 1
    else if (character === "[" || character === "{") depth += 1
    else if (character === "]" || character === "}") depth -= 1
  }
  return text.length
}

/** `a."b.c".'d'` -> its keys. */
const keysOf = (dotted: string): ReadonlyArray<string> => {
  const keys: Array<string> = []
  const pattern = /\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*(?:\.|$)/gy
  for (let found = pattern.exec(dotted); found !== null; found = pattern.exec(dotted)) {
    keys.push(found[1] === undefined ? found[2] ?? found[3] ?? "" : JSON.parse(`"${found[1]}"`) as string)
  }
  return keys
}

/** The statements of a valid document, in their order. */
const statementsOf = (text: string): ReadonlyArray<Statement> => {
  const statements: Array<Statement> = []
  let table: ReadonlyArray<string> = []
  let index = 0
  while (index < text.length) {
    const character = text[index]!
    if (/\s/.test(character)) {
      index += 1
      continue
    }
    if (character === "#") {
      index = skipComment(text, index)
      continue
    }
    const start = index
    const lineEnd = (from: number) => {
      const end = skipComment(text, from)
      return text[end - 1] === "\r" ? end - 1 : end
    }
    if (character === "[") {
      const isArray = text[index + 1] === "["
      const inner = index + (isArray ? 2 : 1)
      const close = scan(text, inner, (one) => one === "]")
      table = keysOf(text.slice(inner, close))
      index = lineEnd(close)
      statements.push({ kind: isArray ? "array" : "table", path: table, start, end: index, value: [index, index] })
      continue
    }
    const equals = scan(text, index, (one) => one === "=")
    const end = scan(text, equals + 1, (one) => one === "\n" || one === "#")
    const raw = text.slice(equals + 1, end)
    const valueStart = equals + 1 + raw.length - raw.trimStart().length
    index = lineEnd(end)
    statements.push({
      kind: "key",
      path: [...table, ...keysOf(text.slice(start, equals))],
      start,
      end: index,
      value: [valueStart, equals + 1 + raw.trimEnd().length]
    })
  }
  return statements
}
