import { Effect } from "effect"
import { forEachPiece } from "../../../src/lib/patch/format.ts"
import type { Change } from "../../../src/lib/patch/model/patch.ts"

/** The pieces of a patch as one. */
export const wholePatch = (changes: ReadonlyArray<Change>): Effect.Effect<Uint8Array> =>
  Effect.suspend(() => {
    const pieces: Array<Uint8Array> = []
    return Effect.map(forEachPiece(changes, (piece) => void pieces.push(piece)), () => Buffer.concat(pieces))
  })
