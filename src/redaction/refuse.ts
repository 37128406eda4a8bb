import { Effect, Stream } from "effect"
import { FileRefused, InvalidRequest } from "../contract/errors/errors.ts"
import { firstSecretIn, SecretSearch } from "./redact.ts"
import type { SecretSet } from "./secrets.ts"

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

/** Content that leaves the guest as it is must not have a secret, unless a person allows the secret. */
export const secretRefusal = (path: string, name: string) =>
  new FileRefused({
    path,
    reason: "secret",
    detail: `it has the value of the secret ${name}. A person can allow that: --allow-secrets`
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
