import { Effect, Option } from "effect"
import type { Entry } from "../../entry/entry.ts"
import { openResidentsOf } from "../entry-residents.ts"

/** The secrets that content of a workspace must not have. None if a person allows them. */
export const guardOf = (entry: Entry, { allowSecrets }: { readonly allowSecrets?: boolean }) =>
  Effect.map(
    openResidentsOf(entry),
    (residents) => allowSecrets === true ? undefined : Option.getOrUndefined(residents)?.secrets.set
  )
