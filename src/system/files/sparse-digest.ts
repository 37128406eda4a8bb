import { Effect } from "effect"
import { createHash, type Hash } from "node:crypto"
import * as fs from "node:fs"
import { type HostToolMissing, ImageDamaged } from "../../contract/errors/errors.ts"
import { runTool } from "../processes/child.ts"
import { nativeTool } from "../processes/native.ts"
import { damaged, type Digest } from "./digest.ts"

const pieceBytes = 65_536
const zeros = Buffer.alloc(pieceBytes)

/** Adds a piece that is not all zeros to a hash, after its offset. */
const addPiece = (hash: Hash, piece: Buffer, offset: number) => {
  if (piece.equals(zeros.subarray(0, piece.length))) return
  const place = Buffer.alloc(8)
  place.writeBigUInt64BE(BigInt(offset))
  hash.update(place).update(piece)
}

/** Data of a file on disk, from `start` to before `end`, in bytes. */
export interface Extent {
  readonly start: number
  readonly end: number
}

/** The data of a sparse file, in its order. Everything else is a hole, which Node cannot tell from zeros without a read. */
export const dataOf = (path: string): Effect.Effect<ReadonlyArray<Extent>, ImageDamaged | HostToolMissing> =>
  Effect.gen(function*() {
    const { stdout } = yield* runTool(yield* nativeTool("pyro-copy"), ["--list", path])
    return stdout.toString("latin1").split("\n").filter((line) => line !== "").map((line) => {
      const [start = 0, length = 0] = line.split(" ").map(Number)
      return { start, end: start + length }
    })
  }).pipe(Effect.catchTag("ToolFailed", ({ message }) => new ImageDamaged({ path, detail: message })))

/** Offsets of the pieces that have data, each once. */
const pieces = function*(extents: ReadonlyArray<Extent>) {
  let next = 0
  for (const { end, start } of extents) {
    next = Math.max(next, start - start % pieceBytes)
    for (; next < end; next += pieceBytes) yield next
  }
}

/** Digest of a mostly empty file, in hex: of its data and their offsets. Reads no hole. The result does not depend on where the holes are. */
export const sparseDigest: Digest<HostToolMissing> = (path) =>
  Effect.flatMap(dataOf(path), (extents) =>
    Effect.tryPromise({
      try: async (signal) => {
        const hash = createHash("sha256")
        const buffer = Buffer.alloc(pieceBytes)
        const file = await fs.promises.open(path)
        try {
          for (const offset of pieces(extents)) {
            signal.throwIfAborted()
            const { bytesRead } = await file.read(buffer, 0, pieceBytes, offset)
            addPiece(hash, buffer.subarray(0, bytesRead), offset)
          }
        } finally {
          await file.close()
        }
        return hash.digest("hex")
      },
      catch: damaged(path)
    }))
