import { Effect, Stream } from "effect"
import { FileRefused, InvalidRequest } from "../../contract/errors/errors.ts"
import { option } from "../../contract/errors/next-step.ts"
import { named } from "../../contract/text/names.ts"
import { markerOf, OutputFilter } from "./filter.ts"
import type { SecretSet } from "./secrets.ts"

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

/**
 * Lines of a screen without secrets, also if a value continues in the next line: a full-screen program breaks long lines itself. The
 * marker replaces the beginning of the value.
 */
export const redactLines = (set: SecretSet | undefined, lines: ReadonlyArray<string>): ReadonlyArray<string> => {
  if (set === undefined || lines.length === 0) return lines
  const encoded = lines.map((line) => Buffer.from(line, "utf8"))
  const found: Array<{ begin: number; end: number; owner: number }> = []
  set.matcher.scan(Buffer.concat(encoded), 0, (end, { bytes: { length }, owner }) => {
    const begin = end - length
    // Matches come in the order of their ends: this one replaces those inside it.
    while (found.length > 0 && found.at(-1)!.begin >= begin) found.pop()
    const last = found.at(-1)
    if (last !== undefined && begin < last.end) last.end = end
    else found.push({ begin, end, owner })
  })
  if (found.length === 0) return lines
  let from = 0
  let next = 0
  return encoded.map((line) => {
    const to = from + line.length
    const parts: Array<Uint8Array> = []
    let at = from
    for (let match = found[next]; match !== undefined && match.begin < to; match = found[next]) {
      if (match.begin >= at) {
        parts.push(line.subarray(at - from, match.begin - from), Buffer.from(markerOf(set.names[match.owner]!)))
      }
      at = Math.min(match.end, to)
      // The value continues in the next line.
      if (match.end > to) break
      next++
    }
    parts.push(line.subarray(at - from))
    from = to
    return Buffer.concat(parts).toString("utf8")
  })
}

const inText = (sets: ReadonlyArray<SecretSet>, text: string) =>
  sets.reduce((redacted, set) => redactText(set, redacted), text)

const inBytes = (sets: ReadonlyArray<SecretSet>, bytes: Uint8Array) =>
  sets.reduce(
    (redacted, set) => firstSecretIn(set, redacted) === undefined ? redacted : redactBytes(set, redacted),
    bytes
  )

/** Pyro's answers are less deep. */
const MAX_DEPTH = 32

/**
 * A result, an event or an error without secrets: the same value if there are none in its texts, bytes and names. Errors keep their
 * class.
 */
export const redactValue = <A>(sets: ReadonlyArray<SecretSet>, value: A): A =>
  sets.length === 0 ? value : redacted(sets, value, 0) as A

const redacted = (sets: ReadonlyArray<SecretSet>, value: unknown, depth: number): unknown => {
  if (typeof value === "string") return inText(sets, value)
  if (typeof value !== "object" || value === null || depth > MAX_DEPTH) return value
  if (value instanceof Uint8Array) return inBytes(sets, value)
  if (Array.isArray(value)) {
    const items = value.map((item) => redacted(sets, item, depth + 1))
    return items.some((item, index) => item !== value[index]) ? items : value
  }
  return inObject(sets, value, depth)
}

const inObject = (sets: ReadonlyArray<SecretSet>, value: object, depth: number): object => {
  const properties = Object.getOwnPropertyDescriptors(value)
  let isChanged = false
  const changed = Object.entries(properties).map(([name, property]) => {
    const key = inText(sets, name)
    const content = "value" in property ? redacted(sets, property.value, depth + 1) : undefined
    isChanged ||= key !== name || content !== property.value
    return [key, "value" in property ? { ...property, value: content } : property] as const
  })
  return isChanged ? Object.create(Object.getPrototypeOf(value), named(changed)) as object : value
}

/** Name of a secret in the texts and keys of a value. */
export const secretIn = (set: SecretSet, value: unknown): string | undefined => {
  if (typeof value === "string") return firstSecretIn(set, Buffer.from(value, "utf8"))
  if (typeof value !== "object" || value === null) return undefined
  for (const [key, one] of Object.entries(value)) {
    const found = (Array.isArray(value) ? undefined : secretIn(set, key)) ?? secretIn(set, one)
    if (found !== undefined) return found
  }
  return undefined
}

/**
 * Fails if a field has the value of a secret. A record keeps the fields as they are, because pyro needs them again: to start a service, or to
 * find a workspace by its label.
 */
export const demandPlain = (
  set: SecretSet | undefined,
  fields: Readonly<Record<string, unknown>>
): Effect.Effect<void, InvalidRequest> =>
  Effect.suspend(() => {
    if (set === undefined) return Effect.void
    for (const [field, value] of Object.entries(fields)) {
      const found = secretIn(set, value)
      if (found !== undefined) {
        const detail = `has the value of the secret ${found}, and pyro would store it`
        const next = [
          option("Name the secret instead, which the command then gets", "secret_env", [found]),
          option("Or as a file", "secret_mount", [found])
        ]
        return new InvalidRequest({ field, detail, next })
      }
    }
    return Effect.void
  })

/** Content that leaves the guest as it is must not have a secret, unless a person allows the secret. */
export const secretRefusal = (path: string, name: string) =>
  new FileRefused({
    path,
    reason: "secret",
    detail: `it has the value of the secret ${name}`,
    next: [option("A person can allow that", "allow_secrets", true)]
  })

/** Fails if bytes have a secret, such as a file's name or its content. */
export const refuseSecretIn = (
  set: SecretSet | undefined,
  path: string,
  bytes: Uint8Array
): Effect.Effect<void, FileRefused> =>
  Effect.suspend(() => {
    const found = set === undefined ? undefined : firstSecretIn(set, bytes)
    return found === undefined ? Effect.void : secretRefusal(path, found)
  })

/** The same content, which fails before the piece with the end of a secret. */
export const withoutSecretIn = <E>(
  set: SecretSet,
  path: string,
  content: Uint8Array | Stream.Stream<Uint8Array, E>
): Uint8Array | Stream.Stream<Uint8Array, E | FileRefused> => {
  if (!(content instanceof Uint8Array)) {
    return Stream.suspend(() => {
      const search = new SecretSearch(set)
      return Stream.mapEffect(content, (bytes) => {
        const found = search.push(bytes)
        return found === undefined ? Effect.succeed(bytes) : secretRefusal(path, found)
      })
    })
  }
  const found = firstSecretIn(set, content)
  return found === undefined ? content : Stream.fail(secretRefusal(path, found))
}
