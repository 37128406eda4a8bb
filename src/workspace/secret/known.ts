import { Effect, type Scope } from "effect"
import { atClose } from "../../system/scopes.ts"
import type { SecretSet } from "./output-filter.ts"
import { redactText } from "./redactor.ts"

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

/** The search of the workspace with this folder. */
export const secretsOfFolder = (folder: string): SecretSet | undefined => known.get(folder)?.set

/** Text for a record of the workspace with this folder. */
export const redactFor = (folder: string, text: string): string => {
  const set = secretsOfFolder(folder)
  return set === undefined ? text : redactText(set, text)
}
