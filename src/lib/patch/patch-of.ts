import { Effect } from "effect"
import { ContentHash } from "../../system/files/digest.ts"
import { forEachPiece } from "./format.ts"
import type { Change } from "./model/patch.ts"

interface FormattedPatch {
  /** First lines of the patch, up to the requested number of bytes. */
  readonly head: Uint8Array
  readonly bytes: number
  /** SHA-256 of the whole patch, in hexadecimal. */
  readonly digest: string
  readonly counts: ReadonlyMap<Change, LineCounts>
}

/** Formats changes as one patch, and keeps only its head. Yields to other work between files. */
export const patchOf = (changes: ReadonlyArray<Change>, maxBytes: number): Effect.Effect<FormattedPatch> =>
  Effect.gen(function*() {
    const hash = new ContentHash()
    const counts = new Map<Change, LineCounts>()
    const kept: Array<Uint8Array> = []
    let [bytes, keptBytes] = [0, 0]
    /** The change of the last piece, with all its pieces. */
    let current: { readonly change: Change; readonly pieces: Array<Uint8Array> } | undefined
    const finish = () => {
      if (current === undefined) return
      counts.set(current.change, lineCounts(Buffer.concat(current.pieces).toString("latin1")))
      current = undefined
    }
    yield* forEachPiece(changes, (piece, change) => {
      if (current?.change !== change) {
        finish()
        current = { change, pieces: [] }
      }
      hash.add(piece)
      bytes += piece.length
      current.pieces.push(piece)
      if (keptBytes < maxBytes) {
        const part = piece.subarray(0, maxBytes - keptBytes)
        kept.push(part)
        keptBytes += part.length
      }
    })
    finish()
    const all = Buffer.concat(kept)
    const head = keptBytes === bytes ? all : all.subarray(0, all.lastIndexOf(0x0a) + 1)
    return { head, bytes, digest: hash.take().sha256, counts }
  })

export interface LineCounts {
  readonly additions: number
  readonly deletions: number
  readonly binary: boolean
}

const starts = (line: string, at: number, prefix: string) => line.startsWith(prefix, at)

/** Counts the added and deleted lines of a part of a git patch (a byte string). */
const lineCounts = (patch: string): LineCounts => {
  let [additions, deletions, binary, inHunk] = [0, 0, false, false]
  for (let at = 0; at < patch.length;) {
    const feed = patch.indexOf("\n", at)
    const first = patch[at]
    if (first === "@") inHunk = true
    else if (starts(patch, at, "diff --git ")) inHunk = false
    else if (inHunk && first === "+") additions++
    else if (inHunk && first === "-") deletions++
    else if (!inHunk && (starts(patch, at, "GIT binary patch\n") || starts(patch, at, "Binary files "))) binary = true
    at = feed < 0 ? patch.length : feed + 1
  }
  return { additions, deletions, binary }
}
