import { Context, Effect, Layer, type Scope } from "effect"
import { atClose } from "../system/waits/scopes.ts"
import type { SecretSet } from "./filter/output-filter.ts"
import { redactValue } from "./redact-value.ts"

interface Owner {
  readonly set: SecretSet | undefined
}

/** The secrets that an installation knows, by the folder of their workspace. */
export class KnownSecrets extends Context.Tag("pyro/workspace/KnownSecrets")<KnownSecrets, {
  /** Has the installation remove secrets from its log and from records, until the Scope closes. */
  readonly know: (folder: string, owner: Owner) => Effect.Effect<void, never, Scope.Scope>
  /** The searches of all workspaces. */
  readonly sets: () => ReadonlyArray<SecretSet>
  /** A value for a record of the workspace with this folder. */
  readonly redactFor: <A>(folder: string, value: A) => A
}>() {
  static readonly layer = Layer.sync(KnownSecrets, () => make())
}

const make = (): KnownSecrets["Type"] => {
  const known = new Map<string, Owner>()
  return {
    know: (folder, owner) =>
      Effect.zipRight(
        Effect.sync(() => known.set(folder, owner)),
        atClose(Effect.sync(() => {
          if (known.get(folder) === owner) known.delete(folder)
        }))
      ),
    sets: () => {
      const sets: Array<SecretSet> = []
      for (const { set } of known.values()) if (set !== undefined) sets.push(set)
      return sets
    },
    redactFor: (folder, value) => {
      const set = known.get(folder)?.set
      return set === undefined ? value : redactValue([set], value)
    }
  }
}
