import { Effect } from "effect"
import { IdAmbiguous } from "../../contract/errors/errors.ts"

/** A prefix of a workspace's id: at least one digit, so that `ws-` alone names nothing. */
const BEGUN = /^ws-[0-9a-f]{1,10}$/

/** The same without `ws-`, as people copy it. At least four digits, because short words are mistyped names. */
const DIGITS = /^[0-9a-f]{4,10}$/

/** The ids that a word may mean: the id itself, or all ids with this prefix. */
export const wholeOf = <Id extends string>(word: string, ids: Iterable<Id>): ReadonlyArray<Id> =>
  BEGUN.test(word) ? begunBy(word, ids) : DIGITS.test(word) ? begunBy(`ws-${word}`, ids) : []

/** The ids with this prefix, or the word alone if it is a whole id. */
export const begunBy = <Id extends string>(word: string, ids: Iterable<Id>): ReadonlyArray<Id> => {
  const begun = [...ids].filter((id) => id.startsWith(word))
  return begun.includes(word as Id) ? [word as Id] : begun
}

/** Maximum number of candidates that an error lists. */
const MOST = 10

/** The only id of a list. `undefined` for an empty list. Fails with IdAmbiguous for several ids. */
export const onlyOne = <Id extends string>(
  what: IdAmbiguous["what"],
  given: string,
  found: ReadonlyArray<Id>
): Effect.Effect<Id | undefined, IdAmbiguous> =>
  found.length > 1
    ? new IdAmbiguous({ what, given, candidates: found.slice(0, MOST) })
    : Effect.succeed(found[0])
