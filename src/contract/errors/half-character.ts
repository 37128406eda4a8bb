import { InvalidRequest } from "./errors.ts"

const DETAIL = "has half of a character (a lone surrogate), which UTF-8 cannot have: it would become another text"

/** Path of a text, or of a name of a field, that has half of a character. Undefined if there is none. */
const pathIn = (value: unknown): ReadonlyArray<string> | undefined => {
  if (typeof value === "string") return value.isWellFormed() ? undefined : []
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return undefined
  for (const [name, one] of Object.entries(value)) {
    if (!name.isWellFormed()) return []
    const inside = pathIn(one)
    if (inside !== undefined) return [name, ...inside]
  }
  return undefined
}

/**
 * The refusal of a request with half of a character in any of its texts: on the way to a guest it would become U+FFFD, and name another file.
 * `nameOf` gives the JSON name of a field. Undefined for a request of whole characters. The fields are those that a Schema has taken.
 */
export const halfCharacterIn = (
  fields: unknown,
  nameOf: (field: string) => string = (field) => field
): InvalidRequest | undefined => {
  const path = pathIn(fields)
  if (path === undefined) return undefined
  const [first, ...rest] = path
  return new InvalidRequest({ field: first === undefined ? "" : [nameOf(first), ...rest].join("."), detail: DETAIL })
}
