import { Effect, Schema } from "effect"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import { ImageDamaged } from "../../contract/errors/errors.ts"

/** Size and SHA-256 of a stream of bytes. */
export class ContentHash {
  #hash = createHash("sha256")
  #size = 0

  add(bytes: Uint8Array) {
    this.#hash.update(bytes)
    this.#size += bytes.length
  }

  /** Size and digest of the bytes since the last call. */
  take() {
    const taken = { size: this.#size, sha256: this.#hash.digest("hex") }
    this.#hash = createHash("sha256")
    this.#size = 0
    return taken
  }
}

/** SHA-256 of bytes, in hexadecimal. */
export const sha256Hex = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex")

/** State of a file after its write: enough to notice a change cheaply, and to prove that there was none. */
export const CheckedFile = Schema.Struct({
  sizeBytes: Schema.Int,
  /** Time of last change, in milliseconds. */
  mtimeMs: Schema.Number,
  inode: Schema.Int,
  sha256: Schema.String
})
export type CheckedFile = typeof CheckedFile.Type

/** Digest of a file's content, in hex. */
export type Digest<E> = (path: string) => Effect.Effect<string, ImageDamaged | E>

/** Why the content of a file could not be read. */
export const damaged = (path: string) => (cause: unknown) =>
  new ImageDamaged({
    path,
    detail: (cause as NodeJS.ErrnoException).code === "ENOENT" ? "it is gone" : (cause as Error).message
  })

const PIECE_BYTES = 1024 * 1024

/** SHA-256 of a file's content, in hex. Two buffers in turn, one read and one hashed, take half of the time of a stream of new buffers. */
const sha256File: Digest<never> = (path) =>
  Effect.tryPromise({
    try: async (signal) => {
      const hash = createHash("sha256")
      const file = await fs.promises.open(path, "r")
      let [piece, next] = [Buffer.allocUnsafe(PIECE_BYTES), Buffer.allocUnsafe(PIECE_BYTES)]
      let reading = file.read(piece, 0, PIECE_BYTES, null)
      try {
        for (;;) {
          const { bytesRead } = await reading
          if (bytesRead === 0) return hash.digest("hex")
          signal.throwIfAborted()
          reading = file.read(next, 0, PIECE_BYTES, null)
          hash.update(piece.subarray(0, bytesRead))
          ;[piece, next] = [next, piece]
        }
      } finally {
        // After an interruption, a read may still run.
        await reading.catch(() => undefined)
        await file.close()
      }
    },
    catch: damaged(path)
  })

/** Reads a file whole and describes it. */
export const describeFile = <E = never>(
  path: string,
  digest: Digest<E> = sha256File
): Effect.Effect<CheckedFile, ImageDamaged | E> =>
  Effect.flatMap(digest(path), (sha256) => Effect.map(statOf(path), (stat) => ({ ...stat, sha256 })))

/**
 * Checks that a file still is as described. Compares size, time and inode, and reads the content if one of them differs (the cache may have
 * been copied) or if `thorough`. Gives the present description. Fails with ImageDamaged.
 */
export const checkFile = <E = never>(
  path: string,
  known: CheckedFile,
  options: { readonly thorough: boolean; readonly digest?: Digest<E> | undefined }
): Effect.Effect<CheckedFile, ImageDamaged | E> =>
  Effect.gen(function*() {
    const now = yield* statOf(path)
    if (now.sizeBytes !== known.sizeBytes) {
      return yield* new ImageDamaged({ path, detail: `it has ${now.sizeBytes} bytes instead of ${known.sizeBytes}` })
    }
    if (!options.thorough && now.inode === known.inode && now.mtimeMs === known.mtimeMs) return known
    const sha256 = yield* (options.digest ?? sha256File)(path)
    if (sha256 !== known.sha256) return yield* new ImageDamaged({ path, detail: "its content changed" })
    return { ...now, sha256 }
  })

const statOf = (path: string) =>
  Effect.try({
    try: () => {
      const stat = fs.statSync(path)
      if (!stat.isFile()) throw new Error("it is not a file")
      return { sizeBytes: stat.size, mtimeMs: stat.mtimeMs, inode: stat.ino }
    },
    catch: damaged(path)
  })

/** SHA-256 of a text, in hex. */
export const sha256Text = (text: string) => createHash("sha256").update(text).digest("hex")
