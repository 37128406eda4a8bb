import { base64Forms, base64LineForms } from "./base64-forms.ts"
import { escapedForms } from "./escaped-forms.ts"
import { hexadecimalForms, urlForms } from "./url-forms.ts"

const text = (value: string) => new Uint8Array(Buffer.from(value, "utf8"))

const encoded = (value: Uint8Array): ReadonlyArray<string> => [
  ...base64Forms(value),
  ...urlForms(value),
  ...hexadecimalForms(value)
]

/**
 * The forms in which output may contain a value: as it is, as a terminal prints its lines, as the lines of a patch, in base64 (both alphabets, each
 * alignment, also in lines), URL-encoded, in hexadecimal, and with escapes. Without duplicates.
 */
export const secretForms = (value: string): ReadonlyArray<Uint8Array> => {
  const lines = value.replaceAll("\r\n", "\n")
  const inTerminals = lines.replaceAll("\n", "\r\n")
  const inPatches = ["+", "-", " "].map((mark) => lines.replaceAll("\n", `\n${mark}`))
  const files = [...new Set([value, lines, inTerminals])]
  const all = [
    ...files,
    ...inPatches,
    ...files.flatMap((one) => encoded(text(one))),
    ...base64LineForms(text(value)),
    ...[value, lines].flatMap(escapedForms)
  ]
  return [...new Set(all)].map(text)
}
