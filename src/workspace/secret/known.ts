import { Effect, type Scope } from "effect"
import { atClose } from "../../system/scopes.ts"
import type { SecretSet } from "../../system/secret-search/output-filter.ts"
import { redactValue } from "./redact-value.ts"

interface Owner {
  readonly set: SecretSet | undefined
}

/** The secrets that this process knows, by the folder of their workspace. */
const known = new Map<string, Owner>()

/** Has this process remove secrets from its log and from records, until the Scope closes. */
export const knowSecrets = (folder: string, owner: Owner): Effect.Effect<void, never, Scope.Scope> =>
  Effect.zipRight(
    Effect.sync(() => known.set(folder, owner)),
    atClose(Effect.sync(() => {
      if (known.get(folder) === owner) known.delete(folder)
    }))
  )

/** The searches of all workspaces. */
export const allSecretSets = (): ReadonlyArray<SecretSet> => {
  const sets: Array<SecretSet> = []
  for (const { set } of known.values()) if (set !== undefined) sets.push(set)
  return sets
}

/** A value for a record of the workspace with this folder. */
export const redactFor = <A>(folder: string, value: A): A => {
  const set = known.get(folder)?.set
  return set === undefined ? value : redactValue([set], value)
}
