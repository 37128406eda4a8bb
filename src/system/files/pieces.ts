import { Cause, Effect, Stream } from "effect"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import { promisify } from "node:util"
import { attempt, attemptAsync, type FileFailed } from "./failure.ts"

const PIECE_BYTES = 256 * 1024

const read = promisify(fs.read)
const write = promisify(fs.write)

/** Copies an open file of any size to a new file of this user, and describes the copy. Shares blocks if the file system can. */
export const copyOpen = (
  fd: number,
  to: string
): Effect.Effect<{ readonly size: number; readonly sha256: string }, FileFailed> =>
  attemptAsync("copyfile", to, async (signal) => {
    await fs.promises.copyFile(`/proc/self/fd/${fd}`, to, fs.constants.COPYFILE_FICLONE)
    await fs.promises.chmod(to, 0o600)
    const hash = createHash("sha256")
    let size = 0
    for await (const chunk of fs.createReadStream(to, { highWaterMark: 4 * PIECE_BYTES, signal })) {
      hash.update(chunk as Buffer)
      size += (chunk as Buffer).length
    }
    return { size, sha256: hash.digest("hex") }
  })

/** The first `size` bytes of a file, read as they are taken. Throws if the file is gone or has fewer. */
export function* piecesOfFile(file: string, size: number): Generator<Uint8Array, void> {
  const fd = fs.openSync(file, "r")
  try {
    for (let left = size; left > 0;) {
      const piece = Buffer.allocUnsafe(Math.min(left, PIECE_BYTES))
      const count = fs.readSync(fd, piece)
      if (count === 0) throw new Error(`${file} has fewer than ${size} bytes`)
      left -= count
      yield piece.subarray(0, count)
    }
  } finally {
    fs.closeSync(fd)
  }
}

/** Reads an open file from its beginning: the next `length` bytes, fewer only at its end. In the thread pool. */
export const readInOrder = (fd: number) => {
  let position = 0
  return async (length: number): Promise<Buffer> => {
    const bytes = Buffer.alloc(length)
    let filled = 0
    while (filled < length) {
      const { bytesRead } = await read(fd, bytes, filled, length - filled, position + filled)
      if (bytesRead === 0) break
      filled += bytesRead
    }
    position += filled
    return bytes.subarray(0, filled)
  }
}

/** The bytes of an open file from its beginning to its end, at the reader's pace. In the thread pool. */
export const readPieces = (fd: number, path: string): Stream.Stream<Uint8Array, FileFailed> =>
  Stream.unwrap(Effect.sync(() => {
    const next = readInOrder(fd)
    return Stream.fromEffectRepeat(
      Effect.flatMap(
        attemptAsync("read", path, () => next(PIECE_BYTES)),
        (piece) => piece.length === 0 ? Cause.done() : Effect.succeed<Uint8Array>(piece)
      )
    )
  }))

/** Whether an open file is an ordinary one. */
export const isRegular = (fd: number, path: string): Effect.Effect<boolean, FileFailed> =>
  attempt("fstat", path, () => fs.fstatSync(fd).isFile())

/** Size of an open file in bytes. */
export const sizeOf = (fd: number, path: string): Effect.Effect<number, FileFailed> =>
  attempt("fstat", path, () => fs.fstatSync(fd).size)

/** Writes bytes at a place of an open file, in the thread pool. It ends before an interruption: the descriptor may be another file's then. */
export const writeAt = (
  fd: number,
  path: string,
  bytes: Uint8Array,
  position: number
): Effect.Effect<void, FileFailed> =>
  attemptAsync("write", path, async () => {
    for (let at = 0; at < bytes.length;) {
      at += (await write(fd, bytes, at, bytes.length - at, position + at)).bytesWritten
    }
  }).pipe(Effect.uninterruptible)
