import { Effect } from "effect"
import { InvalidRequest } from "../contract/errors/errors.ts"
import type { CliSurface } from "../contract/rows/operation.ts"
import { named } from "../contract/text/names.ts"
import type { Typed } from "./parser.ts"
import { numberOf, unitOf } from "./units.ts"

/** Lowers fields to the limits that flags without a field set. */
export const withLimits = (
  { cli }: { readonly cli: CliSurface },
  typed: Typed
): Effect.Effect<Typed, InvalidRequest> =>
  Effect.gen(function*() {
    const raw = named(Object.entries(typed.raw))
    for (const [name, extra] of Object.entries(cli.extras ?? {})) {
      const word = typed.extras[name]
      if (extra._tag !== "limit" || word === undefined) continue
      const limit = numberOf(word, unitOf(extra.field))
      if (typeof limit === "string" || limit <= 0) {
        const detail = typeof limit === "string" ? limit : "must be more than 0"
        return yield* new InvalidRequest({ field: `--${name}`, detail })
      }
      const given = raw[extra.field]
      raw[extra.field] = typeof given === "number" ? Math.min(given, limit) : limit
    }
    return { ...typed, raw }
  })
