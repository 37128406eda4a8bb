/**
 * Maximum bytes of all lists and texts of one result. With its frame, the result must fit a message of 16 MiB: a larger one ends the
 * connection between client and daemon.
 */
export const MAX_RESULT_BYTES = 15_728_640

const encoder = new TextEncoder()

/** Maximum size of a value in a message, in `bytes`: that of its JSON. */
const sizeOf = (value: unknown) => encoder.encode(JSON.stringify(value)).length

/** The beginning of a list: at most `most` of it, and no more than fits `maxBytes`. */
export const firstOf = <A>(
  list: ReadonlyArray<A>,
  { maxBytes, most }: { readonly most: number; readonly maxBytes: number }
): ReadonlyArray<A> => {
  let left = maxBytes
  const fitting = list.slice(0, most).findIndex((one) => (left -= sizeOf(one)) < 0)
  return list.slice(0, fitting === -1 ? most : fitting)
}

/** The whole list in pieces, none of which has more than `maxBytes` unless it is one value. No piece is empty. */
export const inPieces = <A>(list: ReadonlyArray<A>, maxBytes: number): ReadonlyArray<ReadonlyArray<A>> => {
  const pieces: Array<Array<A>> = []
  let left = 0
  for (const one of list) {
    const bytes = sizeOf(one)
    if (pieces.length === 0 || bytes > left) {
      pieces.push([])
      left = maxBytes
    }
    pieces.at(-1)!.push(one)
    left -= bytes
  }
  return pieces
}
