import { Effect } from "effect"
import { deflateBeside } from "../../system/git-blob.ts"
import type { Change } from "../change.ts"
import { changePieces, isBinary } from "./format.ts"
import { diffBudget } from "./text-diff.ts"

/** Deflating less than this, in `bytes`, takes 20 ms at most. */
const MOST_IN_LINE = 1024 * 1024

/** Gives every piece of the patch of some changes to `take`; other work goes on between them, and beside what takes long. */
export const forEachPiece = (changes: ReadonlyArray<Change>, take: (piece: Uint8Array, change: Change) => void) =>
  Effect.gen(function*() {
    const budget = diffBudget()
    for (const change of changes) {
      const deflated = yield* deflateLarge(change)
      for (const piece of changePieces(change, budget, { deflated: (content) => deflated.get(content) })) {
        take(piece, change)
        yield* Effect.yieldNow()
      }
    }
  })

const deflateLarge = ({ after, before }: Change) =>
  Effect.gen(function*() {
    const deflated = new Map<Uint8Array, Uint8Array>()
    const sides = [before, after].flatMap((side) => side === undefined ? [] : [side.content])
    if (!sides.some(isBinary)) return deflated
    for (const content of sides.filter(({ length }) => length > MOST_IN_LINE)) {
      deflated.set(content, yield* Effect.promise(() => deflateBeside(content)))
    }
    return deflated
  })

/** The whole patch. */
export const wholePatch = (changes: ReadonlyArray<Change>): Effect.Effect<Uint8Array> =>
  Effect.suspend(() => {
    const pieces: Array<Uint8Array> = []
    return Effect.map(forEachPiece(changes, (piece) => void pieces.push(piece)), () => Buffer.concat(pieces))
  })
