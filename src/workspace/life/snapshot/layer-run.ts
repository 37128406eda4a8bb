import { variables } from "../../../system/settings/variables.ts"

/**
 * Number of frozen layers of one disk that starts a merge. Each layer costs QEMU two descriptors, and a look-up per cluster that no
 * layer above has.
 */
export const LONGEST_CHAIN = variables.PYRO_FLATTEN_AT.default

/**
 * The layers of a chain to merge: from `from` to the newest, given the `bytes` of each, oldest first. None if the chain is short.
 * An oldest layer with more bytes than all later ones together stays out, so that pyro does not copy a large layer again and again.
 * At the maximum length, the merge still takes at least half of the chain.
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
