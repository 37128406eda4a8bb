import { Effect } from "effect"
import { IdAmbiguous } from "../../contract/errors.ts"

/** A workspace's id that is begun: some of its digits, so that `ws-` alone names nothing. */
const BEGUN = /^ws-[0-9a-f]{1,10}$/

/** The same without `ws-`, as people copy it; four digits at least, since short words are names that somebody mistyped. */
const DIGITS = /^[0-9a-f]{4,10}$/

/** The ids that a word names: itself where it is one, else those that it begins. */
export const wholeOf = <Id extends string>(word: string, ids: Iterable<Id>): ReadonlyArray<Id> =>
  BEGUN.test(word) ? begunBy(word, ids) : DIGITS.test(word) ? begunBy(`ws-${word}`, ids) : []

/** What a word begins, or the word alone where it is whole. */
export const begunBy = <Id extends string>(word: string, ids: Iterable<Id>): ReadonlyArray<Id> => {
  const begun = [...ids].filter((id) => id.startsWith(word))
  return begun.includes(word as Id) ? [word as Id] : begun
}

/** Candidates that an error lists. */
const MOST = 10

/** The only one of several; undefined where there is none. Fails with IdAmbiguous. */
export const onlyOne = <Id extends string>(
  what: IdAmbiguous["what"],
  given: string,
  found: ReadonlyArray<Id>
): Effect.Effect<Id | undefined, IdAmbiguous> =>
  found.length > 1
    ? new IdAmbiguous({ what, given, candidates: found.slice(0, MOST) })
    : Effect.succeed(found[0])
