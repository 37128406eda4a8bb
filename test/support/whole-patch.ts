import { Effect } from "effect"
import type { Change } from "../../src/patch/change.ts"
import { forEachPiece } from "../../src/patch/format.ts"

/** The pieces of a patch as one. */
export const wholePatch = (changes: ReadonlyArray<Change>): Effect.Effect<Uint8Array> =>
  Effect.suspend(() => {
    const pieces: Array<Uint8Array> = []
    return Effect.map(forEachPiece(changes, (piece) => void pieces.push(piece)), () => Buffer.concat(pieces))
  })
