import { variables } from "../system/variables.ts"

/** Frozen layers of one disk above which they are merged. Each costs two descriptors of QEMU and a look-up for what none above it has. */
export const LONGEST_CHAIN = variables.PYRO_FLATTEN_AT.default

/**
 * Which layers of a chain to merge: those from `from` to the newest, given the `bytes` of each, oldest first. None while the chain is
 * short. An oldest layer with more bytes than all after it together stays as it is, so that a large one is not copied again and again; at
 * least half of the longest chain is merged all the same.
 */
export const runToMerge = (
  bytes: ReadonlyArray<number>,
  longest: number = LONGEST_CHAIN
): { readonly from: number } | undefined => {
  if (bytes.length < longest) return undefined
  let [from, rest] = [0, bytes.reduce((sum, one) => sum + one, 0)]
  while (bytes.length - from > Math.ceil(longest / 2)) {
    rest -= bytes[from]!
    if (bytes[from]! <= rest) break
    from += 1
  }
  return { from }
}
