import { changePieces, type FormatOptions } from "../../../src/patch/format/change-pieces.ts"
import { diffBudget } from "../../../src/patch/format/text-diff.ts"
import type { Change } from "../../../src/patch/patch.ts"

/** Changes as one patch. */
export const formatPatch = (changes: Iterable<Change>, options: FormatOptions = {}): Uint8Array => {
  const budget = diffBudget()
  return Buffer.concat(Array.from(changes, (change) => Array.from(changePieces(change, budget, options))).flat())
}
