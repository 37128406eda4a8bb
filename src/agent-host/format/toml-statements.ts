/** A statement of a TOML document: a header of a table, or a key with its value. */
export interface Statement {
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

/** Offset behind a string that begins at `from`. */
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

/** Offset of the first character outside of strings and brackets that `stop` holds for. */
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
export const statementsOf = (text: string): ReadonlyArray<Statement> => {
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
