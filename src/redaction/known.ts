import { Context, Effect, Layer, type Scope } from "effect"
import { atClose } from "../system/waits/scopes.ts"
import type { SecretSet } from "./secrets.ts"

interface Owner {
  readonly set: SecretSet | undefined
}

/** The secrets that an installation knows, by the folder of their workspace. */
export class KnownSecrets extends Context.Service<KnownSecrets, {
  /** Has the installation remove secrets from its log and from records, until the Scope closes. */
  readonly know: (folder: string, owner: Owner) => Effect.Effect<void, never, Scope.Scope>
  /** The searches of all workspaces. */
  readonly sets: () => ReadonlyArray<SecretSet>
  /** The search of the workspace with this folder, or none. */
  readonly setsOf: (folder: string) => ReadonlyArray<SecretSet>
}>()("pyro/workspace/KnownSecrets") {
  static readonly layer = Layer.sync(KnownSecrets, () => make())
}

const make = (): KnownSecrets["Service"] => {
  const known = new Map<string, Owner>()
  const setsOf = (owner: Owner | undefined) => owner?.set === undefined ? [] : [owner.set]
  return {
    know: (folder, owner) =>
      Effect.andThen(
        Effect.sync(() => known.set(folder, owner)),
        atClose(Effect.sync(() => {
          if (known.get(folder) === owner) known.delete(folder)
        }))
      ),
    sets: () => [...known.values()].flatMap(setsOf),
    setsOf: (folder) => setsOf(known.get(folder))
  }
}
