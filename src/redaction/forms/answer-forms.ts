import { base64Forms } from "./base64-forms.ts"
import { hexadecimalForms, urlForms } from "./url-forms.ts"

const escapes = (digits: (code: number) => string) => (character: string) =>
  `\\u${digits(character.charCodeAt(0)).padStart(4, "0")}`
const lowerEscape = escapes((code) => code.toString(16))
const upperEscape = escapes((code) => code.toString(16).toUpperCase())

/** A value in the strings of JSON, as JavaScript, PHP, Go and .NET write them. */
const jsonForms = (value: string): ReadonlyArray<string> => {
  const json = JSON.stringify(value).slice(1, -1)
  return [
    json,
    json.replaceAll("/", "\\/"),
    json.replace(/[<>&]/g, lowerEscape),
    value.replace(/\\/g, "\\\\").replace(/["'<>&+`]/g, upperEscape)
  ]
}

/** A value in a page of HTML: writers differ in the quotes. */
const htmlForms = (value: string): ReadonlyArray<string> => {
  const text = value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
  return [
    text,
    ...["&quot;", "&#34;"].flatMap((double) =>
      ["'", "&#39;", "&#x27;"].map((single) => text.replaceAll("\"", double).replaceAll("'", single))
    )
  ]
}

/** Forms in which a host sends a header back: as it is, out of or in Basic credentials, in JSON, in a page, in a URL, in hexadecimal. */
export const answerForms = (value: string): ReadonlyArray<Uint8Array> => {
  const bytes = Buffer.from(value, "latin1")
  const all = [
    value,
    ...jsonForms(value),
    ...htmlForms(value),
    ...urlForms(bytes),
    ...hexadecimalForms(bytes),
    ...base64Forms(bytes)
  ]
  return [...new Set(all)].map((form) => Buffer.from(form, "latin1"))
}
