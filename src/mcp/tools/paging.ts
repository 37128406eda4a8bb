import { Effect } from "effect"
import { InvalidRequest } from "../../contract/errors/errors.ts"

/** Entries of a list in one result. */
const PAGE_ENTRIES = 80

/** Where a page of a list begins, from the cursor of the page before. */
export const pageStart = (cursor: unknown): Effect.Effect<number, InvalidRequest> =>
  cursor === undefined
    ? Effect.succeed(0)
    : typeof cursor === "string" && /^\d{1,9}$/.test(cursor)
    ? Effect.succeed(Number(cursor))
    : Effect.fail(new InvalidRequest({ field: "cursor", detail: "must be the next_cursor of the same call" }))

/** One page of a list. */
export const pageOf = <A>(all: ReadonlyArray<A>, start: number) => {
  const end = start + PAGE_ENTRIES
  return { entries: all.slice(start, end), nextCursor: end < all.length ? String(end) : null }
}

/** The last line of a list that goes on. */
export const moreText = (nextCursor: string | null): string | undefined =>
  nextCursor === null ? undefined : `[more: call again with cursor "${nextCursor}"]`
