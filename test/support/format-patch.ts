import type { Change } from "../../src/workspace/change.ts"
import { changePieces, type FormatOptions } from "../../src/workspace/patch/format.ts"
import { diffBudget } from "../../src/workspace/patch/text-diff.ts"

/** Changes as one patch. */
export const formatPatch = (changes: Iterable<Change>, options: FormatOptions = {}): Uint8Array => {
  const budget = diffBudget()
  return Buffer.concat(Array.from(changes, (change) => Array.from(changePieces(change, budget, options))).flat())
}
