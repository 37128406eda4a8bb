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
