import { Effect, Stream } from "effect"
import { FileRefused } from "../contract/errors/errors.ts"
import type { SecretSet } from "./filter/output-filter.ts"
import { firstSecretIn, SecretSearch } from "./redact.ts"

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
