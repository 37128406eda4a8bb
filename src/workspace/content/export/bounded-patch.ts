import { Effect } from "effect"
import { ExportRefused } from "../../../contract/errors/errors.ts"
import { patchLimits } from "../../../contract/rows/patch-limits.ts"
import { pathText } from "../../../contract/text/path-text.ts"
import { countLines, forEachPiece } from "../../../patch/format.ts"
import type { Change } from "../../../patch/patch.ts"

/** Changes that a refusal names. */
const NAMED = 3

const mib = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MiB`

/** The patch of some changes, within the limits of `patch apply`. A refusal with the figures for a larger one. */
export const boundedPatch = (changes: ReadonlyArray<Change>): Effect.Effect<Uint8Array, ExportRefused> =>
  Effect.gen(function*() {
    const pieces: Array<Uint8Array> = []
    const bytesOf = new Map<Change, number>()
    let [bytes, lines] = [0, 0]
    yield* forEachPiece(changes, (piece, change) => {
      bytes += piece.length
      lines += countLines(piece, 0, piece.length)
      bytesOf.set(change, (bytesOf.get(change) ?? 0) + piece.length)
      if (bytes <= patchLimits.bytes) pieces.push(piece)
    })
    if (bytes <= patchLimits.bytes && lines <= patchLimits.lines && changes.length <= patchLimits.files) {
      return Buffer.concat(pieces)
    }
    const largest = [...bytesOf].sort(([, one], [, other]) => other - one).slice(0, NAMED)
    return yield* new ExportRefused({
      detail: `the patch would have ${mib(bytes)}, ${lines} lines and ${changes.length} files; ` +
        `patch apply takes ${
          mib(patchLimits.bytes)
        }, ${patchLimits.lines} lines and ${patchLimits.files} files at most; ` +
        "export a path's part of the patch, or large files by themselves",
      paths: largest.map(([{ path }, size]) => `${pathText(path)}: ${mib(size)}`)
    })
  })
