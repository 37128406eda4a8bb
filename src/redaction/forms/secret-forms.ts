import { base64Forms, base64LineForms } from "./base64-forms.ts"
import { escapedForms } from "./escaped-forms.ts"
import { hexadecimalForms, urlForms } from "./url-forms.ts"

const text = (value: string) => new Uint8Array(Buffer.from(value, "utf8"))

/** A value without the newlines at its end: programs drop them when they read a file. */
export const trimmed = (value: string): string => value.replace(/[\r\n]+$/, "")

const encoded = (value: Uint8Array): ReadonlyArray<string> => [
  ...base64Forms(value),
  ...urlForms(value),
  ...hexadecimalForms(value)
]

/**
 * The forms in which output may contain a value: as it is, as a terminal prints its lines, as the lines of a patch, in base64 (both alphabets, each
 * alignment, also in lines), URL-encoded, in hexadecimal, and with escapes. Without duplicates.
 */
export const formsOf = (value: string): ReadonlyArray<Uint8Array> => {
  const core = trimmed(value)
  const lines = core.replaceAll("\r\n", "\n")
  const inTerminals = lines.replaceAll("\n", "\r\n")
  const inPatches = ["+", "-", " "].map((mark) => lines.replaceAll("\n", `\n${mark}`))
  const files = [...new Set([core, lines, inTerminals])]
  const all = [
    ...files,
    ...inPatches,
    ...files.flatMap((one) => encoded(text(one))),
    ...base64LineForms(text(core)),
    ...[core, lines].flatMap(escapedForms)
  ]
  return [...new Set(all)].map(text)
}
