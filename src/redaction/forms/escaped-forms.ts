import { pathText } from "../../contract/text/path-text.ts"
import { printable } from "../../contract/text/printable.ts"

const unicodeEscape = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`

/** The value in the quotes that names of files get: a quote before the value makes them necessary. */
const quotedName = (value: string) => pathText(Buffer.from(`"${value}`, "utf8")).slice(3, -1)

/**
 * A value with escapes: of JSON, as JavaScript, Python, PHP and Go write it, and of pyro's own texts. The escapes of a value without quotes,
 * backslashes, slashes, control characters and characters outside ASCII are the value.
 */
export const escapedForms = (value: string): ReadonlyArray<string> => {
  const json = JSON.stringify(value).slice(1, -1)
  const ascii = json.replace(/[^\0-\x7f]/g, unicodeEscape)
  return [
    json,
    ascii,
    json.replaceAll("/", "\\/"),
    ascii.replaceAll("/", "\\/"),
    json.replace(/[<>&]/g, unicodeEscape),
    printable(value),
    quotedName(value)
  ]
}
