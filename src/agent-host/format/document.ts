import type { Result } from "effect"
import { named, NamedClass } from "../../contract/text/names.ts"

/** A value of a configuration file. */
export type Json = string | number | boolean | null | ReadonlyArray<Json> | { readonly [key: string]: Json }

/** Keys from the root of a document to a value. */
export type Path = readonly [string, ...ReadonlyArray<string>]

/** One change of a document. */
export type Change =
  | { readonly _tag: "set"; readonly path: Path; readonly value: Json }
  | { readonly _tag: "remove"; readonly path: Path }
  /** Adds an item at the end of a list. */
  | { readonly _tag: "add"; readonly path: Path; readonly item: Json }
  /** Removes an item from a list. */
  | { readonly _tag: "take"; readonly path: Path; readonly item: Json }

type Table = { readonly [key: string]: Json }

export const isTable = (value: unknown): value is Table =>
  // Dates of TOML are objects of a class.
  typeof value === "object" && value !== null &&
  [Object.prototype, NamedClass.prototype, null].includes(Object.getPrototypeOf(value) as object | null)

/** The value at a path; undefined if there is none. */
export const at = (value: unknown, path: ReadonlyArray<string>): unknown => {
  let found = value
  for (const key of path) {
    if (!isTable(found) || !Object.hasOwn(found, key)) return undefined
    found = found[key]
  }
  return found
}

export const isIn = (path: ReadonlyArray<string>, outer: ReadonlyArray<string>): boolean =>
  outer.length <= path.length && outer.every((key, index) => path[index] === key)

/** Whether two documents have the same value. The order of keys does not count. */
export const isEqual = (one: unknown, other: unknown): boolean => {
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((item, index) => isEqual(item, other[index]))
  }
  if (isTable(one) && isTable(other)) {
    const keys = Object.keys(one)
    return keys.length === Object.keys(other).length &&
      keys.every((key) => Object.hasOwn(other, key) && isEqual(one[key], other[key]))
  }
  if (one instanceof Date && other instanceof Date) return one.toISOString() === other.toISOString()
  return Object.is(one, other)
}

const withKey = (table: unknown, key: string, value: unknown): unknown => {
  const entries = Object.entries(isTable(table) ? table : {})
  if (value === undefined) return named(entries.filter(([name]) => name !== key))
  const isThere = entries.some(([name]) => name === key)
  return named(isThere ? entries.map(([name, old]) => [name, name === key ? value : old]) : [...entries, [key, value]])
}

/** The value that a document has after a change. */
export const changed = (value: unknown, change: Change): unknown => {
  const replaced = (inner: unknown, path: ReadonlyArray<string>): unknown => {
    const [key, ...rest] = path
    if (key === undefined) return leaf(inner, change)
    return withKey(inner, key, replaced(at(inner, [key]), rest))
  }
  return replaced(value, change.path)
}

const leaf = (found: unknown, change: Change): unknown => {
  const items = Array.isArray(found) ? found as ReadonlyArray<unknown> : []
  switch (change._tag) {
    case "set":
      return change.value
    case "remove":
      return undefined
    case "add":
      return [...items, change.item]
    case "take":
      return items.filter((item) => !isEqual(item, change.item))
  }
}

/** A language of configuration files. */
export interface Format {
  /** The document's value, or the reason of a failure. An empty text is an empty document. */
  readonly parse: (text: string) => Result.Result<unknown, string>
  /** Changes one value and keeps all other text. The result may be wrong for rare forms: `edit` checks it. */
  readonly change: (text: string, value: unknown, change: Change) => string
}

export type FormatName = "json" | "toml" | "yaml"

/** The end of line that a text uses. */
export const endOfLine = (text: string): "\r\n" | "\n" => /\r\n/.test(text) ? "\r\n" : "\n"

/** A text with another end of line. */
export const withEndOfLine = (text: string, eol: "\r\n" | "\n"): string => text.replace(/\r?\n/g, eol)

/** Line and column of an offset, from 1. */
export const placeOf = (text: string, offset: number): string => {
  const before = text.slice(0, offset).split("\n")
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`
}
