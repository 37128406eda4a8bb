import { Effect, Option, Ref } from "effect"
import type { Entry } from "../../entry/entry.ts"

/** The secrets that content of a workspace must not have. None if a person allows them. */
export const guardOf = (entry: Entry, { allowSecrets }: { readonly allowSecrets?: boolean }) =>
  Effect.map(
    Ref.get(entry.residents),
    (residents) => allowSecrets === true ? undefined : Option.getOrUndefined(residents)?.secrets.set
  )
