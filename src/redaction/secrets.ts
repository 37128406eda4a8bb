import { answerForms } from "./forms/answer-forms.ts"
import { secretForms } from "./forms/secret-forms.ts"
import { Matcher } from "./search/matcher.ts"

/** A secret with its value. */
export interface NamedSecret {
  readonly name: string
  readonly value: string
}

/** A set of named secrets, and the search for their values. */
export interface SecretSet {
  readonly names: ReadonlyArray<string>
  readonly matcher: Matcher
  /** Takes the place of each byte of a value, so that lengths stay. @default a marker takes the place of the value */
  readonly fill?: number
}

/** A value without the newlines at its end: programs drop them when they read a file. */
export const trimmed = (value: string): string => value.replace(/[\r\n]+$/, "")

const setOf = (
  secrets: ReadonlyArray<NamedSecret>,
  formsOf: (value: string) => ReadonlyArray<Uint8Array>
): Pick<SecretSet, "matcher" | "names"> => ({
  names: secrets.map(({ name }) => name),
  matcher: new Matcher(secrets.flatMap(({ value }, owner) => formsOf(value).map((bytes) => ({ bytes, owner }))))
})

/** The search for secrets, or none without secrets. */
export const secretSet = (secrets: ReadonlyArray<NamedSecret>): SecretSet | undefined => {
  const searched = secrets.map(({ name, value }) => ({ name, value: trimmed(value) })).filter(({ value }) =>
    value !== ""
  )
  return searched.length === 0 ? undefined : setOf(searched, secretForms)
}

/** Takes the place of a value's bytes in a host's answer: lengths, ranges and frames stay as the host wrote them. */
const FILL = "*".charCodeAt(0)

/** The search for values of headers, whose characters are bytes, in the answers of the host that got them. */
export const answerSet = (secrets: ReadonlyArray<NamedSecret>): SecretSet => ({
  ...setOf(secrets, answerForms),
  fill: FILL
})
