import { formsOf, trimmed } from "./forms/secret-forms.ts"
import { Matcher } from "./search/matcher.ts"
import { OutputFilter, type SecretSet } from "./filter/output-filter.ts"
import type { Pattern } from "./search/automaton.ts"

/** A secret with its value. */
export interface NamedSecret {
  readonly name: string
  readonly value: string
}

/** The search for secrets, or none without secrets. */
export const secretSet = (secrets: ReadonlyArray<NamedSecret>): SecretSet | undefined => {
  const searched = secrets.filter(({ value }) => trimmed(value) !== "")
  if (searched.length === 0) return undefined
  const patterns = searched.flatMap(({ value }, owner) => formsOf(value).map((bytes): Pattern => ({ bytes, owner })))
  return { names: searched.map(({ name }) => name), matcher: new Matcher(patterns) }
}

/** Bytes without secrets: the same bytes if they have none. */
export const redactBytes = (secrets: SecretSet, bytes: Uint8Array): Uint8Array => {
  const filter = new OutputFilter(secrets)
  const pieces = [...filter.push(bytes), ...filter.end()]
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
}

/** Text without secrets. */
export const redactText = (secrets: SecretSet, text: string): string => {
  const bytes = Buffer.from(text, "utf8")
  return firstSecretIn(secrets, bytes) === undefined ? text : Buffer.from(redactBytes(secrets, bytes)).toString("utf8")
}

/** Name of a secret in bytes. */
export const firstSecretIn = (secrets: SecretSet, bytes: Uint8Array): string | undefined =>
  new SecretSearch(secrets).push(bytes)

/** The search for the first secret in content that arrives in pieces. */
export class SecretSearch {
  readonly #secrets: SecretSet
  #state = 0
  #found: string | undefined

  constructor(secrets: SecretSet) {
    this.#secrets = secrets
  }

  /** Whether the content so far may end with the beginning of a secret. */
  get isOpen(): boolean {
    return this.#state !== 0
  }

  /** Name of the first secret up to the end of this piece. */
  push(bytes: Uint8Array): string | undefined {
    this.#state = this.#secrets.matcher.scan(bytes, this.#state, (_end, { owner }) => {
      this.#found ??= this.#secrets.names[owner]
    })
    return this.#found
  }
}
