import { readableText } from "../contract/text/printable.ts"

/** Maximum characters of each half of a result, as JSON. Cline cuts a result in its middle at 8,000, Codex at 12,000. */
const MAX_RESULT_CHARACTERS = 7_900

/** Most characters of text in a result, as JSON writes it. */
export const MAX_TEXT_CHARACTERS = 6_500

/** Characters that JSON writes for a text whose invisible characters are escaped. */
export const costOf = (text: string): number => JSON.stringify(readableText(text)).length - 2

/** The longest beginning of a text that costs at most `budget`. Ends with a line if one ends in its second half. */
export const headOf = (text: string, budget: number): string => {
  if (costOf(text) <= budget) return text
  const end = lengthFor(text, budget, (length) => text.slice(0, length))
  const line = text.lastIndexOf("\n", end - 1) + 1
  return text.slice(0, line > end / 2 ? line : end)
}

/** How many characters fit. A cut never goes through a surrogate pair. */
const lengthFor = (text: string, budget: number, part: (length: number) => string): number => {
  let low = 0
  let high = Math.min(text.length, budget)
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (costOf(part(middle)) <= budget) low = middle
    else high = middle - 1
  }
  return /^[\udc00-\udfff]|[\ud800-\udbff]$/.test(part(low)) ? low - 1 : low
}

/** The text half of a result: at most `MAX_RESULT_CHARACTERS`, with a note about omitted parts. Invisible characters are escaped. */
export const textHalf = (raw: string): string => {
  const text = readableText(raw)
  if (text.length <= MAX_RESULT_CHARACTERS) return text
  const note = "\n[… cut; ask for less at once]"
  return `${text.slice(0, MAX_RESULT_CHARACTERS - note.length)}${note}`
}

interface Place {
  readonly list: Array<unknown>
  readonly characters: number
}

/** Cuts the longest texts of a result that is too long without entries of its lists. */
export const cutTexts = (result: Record<string, unknown>): void => {
  for (let excess = excessOf(result); excess > 0; excess = excessOf(result)) {
    const [name, text] = Object.entries(result).reduce<readonly [string, string]>(
      (most, [name, one]) => typeof one === "string" && one.length > most[1].length ? [name, one] : most,
      ["", ""]
    )
    if (text.length < 1_000) return
    const note = "\n[… cut]"
    result[name] = headOf(text, Math.max(500, costOf(text) - excess - costOf(note))) + note
  }
}

const excessOf = (result: unknown) => JSON.stringify(result).length - MAX_RESULT_CHARACTERS

/** Shortens the longest lists of a result until its JSON is short enough. Gives the number of removed entries. */
export const shortened = (result: unknown): number => {
  let left = 0
  for (let excess = excessOf(result); excess > 0;) {
    const longest = listsOf(result).reduce<Place | undefined>(
      (most, one) => most === undefined || one.characters > most.characters ? one : most,
      undefined
    )
    if (longest === undefined || longest.list.length < 2) break
    const { characters, list } = longest
    const count = Math.min(list.length - 1, Math.max(1, Math.ceil(list.length * Math.min(1, excess / characters))))
    list.splice(list.length - count, count)
    left += count
    excess = excessOf(result)
  }
  return left
}

const listsOf = (value: unknown): ReadonlyArray<Place> => {
  if (Array.isArray(value)) {
    return value.some((one) => typeof one === "object")
      ? [{ list: value, characters: JSON.stringify(value).length }]
      : []
  }
  if (value === null || typeof value !== "object") return []
  return Object.values(value).flatMap(listsOf)
}
