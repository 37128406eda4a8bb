import { Transform } from "node:stream"
import { base64Forms } from "../../redaction/forms/base64-forms.ts"
import { Matcher } from "../../redaction/search/matcher.ts"
import { OutputFilter, type SecretSet } from "../../redaction/filter/output-filter.ts"
import { hexadecimalForms, urlForms } from "../../redaction/forms/url-forms.ts"
import { startTimer } from "../../system/waits/timer.ts"
import type { HeaderSecret } from "../interception.ts"
import type { Header } from "../placeholders.ts"

/** Takes the place of a value's bytes in a body: lengths, ranges and frames stay as the host wrote them. */
const FILL = "*".charCodeAt(0)

/** Silence after which the first bytes of a possible value are sent, in ms: a program may wait for the end of a message. */
const PAUSE_MS = 100

/** A text that may be base64 with a value of eight bytes in it. */
const BASE64 = /[A-Za-z0-9+/_-]{10,}={0,2}/g

/** Takes values out of the answers of one host. */
export interface AnswerFilter {
  /** A line of an answer, such as the reason phrase. The placeholder takes the place of a value. */
  readonly text: (text: string) => string
  readonly headers: (headers: ReadonlyArray<Header>) => ReadonlyArray<Header>
  /** The filter of one body, or of the bytes after an upgrade. Asterisks take the place of a value. */
  readonly body: () => Transform
}

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
const formsOf = (value: string): ReadonlyArray<string> => {
  const bytes = Buffer.from(value, "latin1")
  return [
    ...new Set([
      value,
      ...jsonForms(value),
      ...htmlForms(value),
      ...urlForms(bytes),
      ...hexadecimalForms(bytes),
      ...base64Forms(bytes)
    ])
  ]
}

const setOf = (secrets: ReadonlyArray<HeaderSecret>): SecretSet => ({
  names: secrets.map(({ name }) => name),
  fill: FILL,
  matcher: new Matcher(
    secrets.flatMap(({ value }, owner) => formsOf(value).map((form) => ({ bytes: Buffer.from(form, "latin1"), owner })))
  )
})

const masked = (set: SecretSet, text: string) => {
  const bytes = Buffer.from(text, "latin1")
  let isFound = false
  set.matcher.scan(bytes, 0, () => (isFound = true))
  if (!isFound) return text
  const filter = new OutputFilter(set)
  return Buffer.concat([...filter.push(bytes), ...filter.end()]).toString("latin1")
}

/** Puts the placeholders back, also inside base64. A value that stays, because other characters of base64 touch it, is masked. */
const withoutValues = (secrets: ReadonlyArray<HeaderSecret>, set: SecretSet, text: string): string => {
  const replaced = (part: string) =>
    secrets.reduce((sum, { placeholder, value }) => sum.replaceAll(value, () => placeholder), part)
  const recoded = replaced(text).replace(BASE64, (run) => {
    const inside = Buffer.from(run, "base64").toString("latin1")
    const clean = replaced(inside)
    return clean === inside ? run : Buffer.from(clean, "latin1").toString("base64")
  })
  return masked(set, recoded)
}

/** Moves the bytes of a body on. Those that may begin a value wait for the next ones. */
const bodyFilter = (set: SecretSet): Transform => {
  const filter = new OutputFilter(set)
  let timer: ReturnType<typeof startTimer> | undefined
  const give = (body: Transform, pieces: ReadonlyArray<Uint8Array>) => {
    for (const piece of pieces) body.push(piece)
  }
  return new Transform({
    transform(bytes: Buffer, _, done) {
      timer?.cancel()
      give(this, filter.push(bytes))
      if (filter.isHolding) timer = startTimer(PAUSE_MS, () => this.destroyed || give(this, filter.pause()))
      done()
    },
    flush(done) {
      timer?.cancel()
      give(this, filter.end())
      done()
    },
    destroy(error, done) {
      timer?.cancel()
      done(error)
    }
  })
}

/** Maximum sets that are kept: a value of 16 KiB makes megabytes. */
const MAX_KEPT = 16
const kept = new Map<string, SecretSet>()

/** Each connection brings its secrets anew. */
const keptSet = (secrets: ReadonlyArray<HeaderSecret>): SecretSet => {
  const key = JSON.stringify(secrets.map(({ value }) => value))
  const set = kept.get(key) ?? setOf(secrets)
  kept.delete(key)
  kept.set(key, set)
  for (const oldest of kept.keys()) {
    if (kept.size <= MAX_KEPT) break
    kept.delete(oldest)
  }
  return set
}

export const answerFilter = (secrets: ReadonlyArray<HeaderSecret>): AnswerFilter => {
  const set = keptSet(secrets)
  const text = (one: string) => withoutValues(secrets, set, one)
  return {
    text,
    headers: (headers) => headers.map(([name, value]) => [text(name), text(value)]),
    body: () => bodyFilter(set)
  }
}
