import { named } from "../contract/text/names.ts"
import type { SecretSet } from "./filter/output-filter.ts"
import { firstSecretIn, redactBytes, redactText } from "./redact.ts"

const inText = (sets: ReadonlyArray<SecretSet>, text: string) =>
  sets.reduce((redacted, set) => redactText(set, redacted), text)

const inBytes = (sets: ReadonlyArray<SecretSet>, bytes: Uint8Array) =>
  sets.reduce(
    (redacted, set) => firstSecretIn(set, redacted) === undefined ? redacted : redactBytes(set, redacted),
    bytes
  )

/** Depth at which a value is no answer of pyro. */
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
