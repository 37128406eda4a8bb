import { Effect } from "effect"
import { InvalidRequest } from "../contract/errors/errors.ts"
import type { SecretSet } from "./filter/output-filter.ts"
import { firstSecretIn } from "./redact.ts"

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
        const detail =
          `has the value of the secret ${found}, and pyro would store it. Name the secret instead: a command ` +
          `gets it with --secret-env ${found} or --secret-mount ${found}`
        return new InvalidRequest({ field, detail })
      }
    }
    return Effect.void
  })
