import { Effect } from "effect"
import { deflateBeside } from "../system/files/git-blob.ts"
import { yieldToEventLoop } from "../system/waits/event-loop.ts"
import { clockReader } from "../system/waits/time.ts"
import { changePieces, textPart } from "./format/change-pieces.ts"
import { diffBudget } from "./format/text-diff.ts"
import type { Change } from "./patch.ts"

export { countLines } from "./format/differing-part.ts"

/** Deflating less than this, in `bytes`, takes 20 ms at most. */
const MOST_IN_LINE = 1024 * 1024

/** Maximum time of formatting before sockets and timers get a turn. */
const TURN_MS = 10

/** Gives every piece of the patch of some changes to `take`. Yields to other work between pieces and during long ones. */
export const forEachPiece = (changes: ReadonlyArray<Change>, take: (piece: Uint8Array, change: Change) => void) =>
  Effect.gen(function*() {
    const budget = diffBudget()
    const { monotonicMs } = yield* clockReader
    let pauseAtMs = monotonicMs() + TURN_MS
    for (const change of changes) {
      const deflated = yield* deflateLarge(change)
      for (const piece of changePieces(change, budget, { deflated: (content) => deflated.get(content) })) {
        if (piece.length > 0) take(piece, change)
        if (monotonicMs() < pauseAtMs) continue
        yield* yieldToEventLoop
        pauseAtMs = monotonicMs() + TURN_MS
      }
    }
  })

const deflateLarge = ({ after, before }: Change) =>
  Effect.gen(function*() {
    const deflated = new Map<Uint8Array, Uint8Array>()
    const sides = [before, after].flatMap((side) => side === undefined ? [] : [side.content])
    const large = sides.filter(({ length }) => length > MOST_IN_LINE)
    const empty = new Uint8Array(0)
    if (large.length === 0 || textPart(before?.content ?? empty, after?.content ?? empty) !== undefined) return deflated
    for (const content of large) {
      deflated.set(content, yield* Effect.promise(() => deflateBeside(content)))
    }
    return deflated
  })
