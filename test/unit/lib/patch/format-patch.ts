import { changePieces } from "../../../../src/lib/patch/format.ts"
import { diffBudget } from "../../../../src/lib/patch/format/text-diff.ts"
import type { Change } from "../../../../src/lib/patch/model/patch.ts"

/** Changes as one patch. */
export const formatPatch = (changes: Iterable<Change>): Uint8Array => {
  const budget = diffBudget()
  return Buffer.concat(Array.from(changes, (change) => Array.from(changePieces(change, budget, new Map()))).flat())
}
