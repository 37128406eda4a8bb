/** Limits of one batch. An item above the limit of bytes is a batch of its own. */
interface BatchLimits<A> {
  readonly bytes: number
  /** @default no limit */
  readonly items?: number
  /** Whether an item shares no batch. @default never */
  readonly isAlone?: (item: A) => boolean
}

/** The items in order, in batches within the limits. */
export const batchesOf = <A>(
  items: Iterable<A>,
  bytesOf: (item: A) => number,
  { bytes: maxBytes, isAlone = () => false, items: maxItems = Infinity }: BatchLimits<A>
): ReadonlyArray<ReadonlyArray<A>> => {
  const batches: Array<Array<A>> = []
  let open: Array<A> | undefined
  let bytes = 0
  for (const item of items) {
    bytes += bytesOf(item)
    if (open === undefined || isAlone(item) || bytes > maxBytes || open.length === maxItems) {
      open = [item]
      bytes = bytesOf(item)
      batches.push(open)
    } else open.push(item)
    if (isAlone(item)) open = undefined
  }
  return batches
}
