import { Stream } from "effect"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import { pipeline } from "node:stream"
import { createGzip } from "node:zlib"
import type { SpoolTakeEvent } from "../../contract/rows/spool.ts"
import { SPOOL_BLOCK_BYTES } from "../../contract/wire/spool.ts"
import { attempt, type FileFailed } from "../../system/files/failure.ts"

/** Bytes that are read at once: whole blocks. */
const PIECE_BYTES = 16 * SPOOL_BLOCK_BYTES

const zeros = Buffer.alloc(SPOOL_BLOCK_BYTES)

/** Sizes and digest of a file. The holes of a file are not known before its file system has written it, so its bytes are looked at. */
const lookAt = async (path: string) => {
  const hash = createHash("sha256")
  let [sizeBytes, dataBytes] = [0, 0]
  for await (const piece of fs.createReadStream(path, { highWaterMark: PIECE_BYTES }) as AsyncIterable<Buffer>) {
    hash.update(piece)
    sizeBytes += piece.length
    for (let at = 0; at < piece.length; at += SPOOL_BLOCK_BYTES) {
      const block = piece.subarray(at, at + SPOOL_BLOCK_BYTES)
      if (block.length < SPOOL_BLOCK_BYTES || !block.equals(zeros)) dataBytes += block.length
    }
  }
  return { sizeBytes, dataBytes, sha256: hash.digest("hex") }
}

/** The events of a file's bytes, in gzip, and of its end. */
async function* eventsOf(path: string): AsyncGenerator<SpoolTakeEvent> {
  const { dataBytes, sha256, sizeBytes } = await lookAt(path)
  yield { _tag: "Opened", sizeBytes, dataBytes }
  const file = fs.createReadStream(path, { highWaterMark: PIECE_BYTES })
  const gzip = createGzip({ level: 1, chunkSize: 65_536 })
  // The iteration below gets the error of either.
  pipeline(file, gzip, () => {})
  try {
    for await (const bytes of gzip) yield { _tag: "Output", bytes: bytes as Uint8Array }
  } finally {
    file.destroy()
    gzip.destroy()
  }
  yield { _tag: "Ended", sizeBytes, sha256 }
}

/** The bytes of a file of pyro's own, in gzip. */
export const packedFile = (path: string): Stream.Stream<SpoolTakeEvent, FileFailed> =>
  Stream.fromAsyncIterable(eventsOf(path), (cause) => cause).pipe(
    Stream.catch((cause) =>
      Stream.fromEffect(attempt("read", path, (): never => {
        throw cause
      }))
    )
  )
