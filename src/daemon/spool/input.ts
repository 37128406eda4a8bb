import { createGunzip } from "node:zlib"
import { MAX_MANIFEST_BYTES } from "../../contract/wire/spool.ts"
import type { Checked } from "./manifest.ts"
import { readManifest } from "./manifest.ts"
import { ContentWrong } from "./tree.ts"

/** What a client has sent is wrong. The message says how. */
export class InputWrong extends Error {}

const LENGTH_BYTES = 4

/** Gathers the manifest from the first pieces of an input. */
export class ManifestReader {
  #pieces: Array<Uint8Array> = []
  #size = 0
  #length: number | undefined

  /** The manifest, and the bytes after it. Undefined before its end. Throws `InputWrong`. */
  add(piece: Uint8Array): { readonly manifest: Checked; readonly rest: Uint8Array } | undefined {
    this.#pieces.push(piece)
    this.#size += piece.length
    if (this.#length === undefined && this.#size >= LENGTH_BYTES) {
      const all = this.#joined()
      this.#length = all.readUInt32BE(0)
      if (this.#length > MAX_MANIFEST_BYTES) throw new InputWrong("the manifest is too large")
    }
    const end = LENGTH_BYTES + (this.#length ?? Infinity)
    if (this.#size < end) return undefined
    const all = this.#joined()
    const manifest = readManifest(all.subarray(LENGTH_BYTES, end))
    if (typeof manifest === "string") throw new InputWrong(`the manifest is refused: ${manifest}`)
    return { manifest, rest: all.subarray(end) }
  }

  #joined() {
    const all = Buffer.concat(this.#pieces, this.#size)
    this.#pieces = [all]
    return all
  }
}

/** Unpacks the contents, which come in gzip, and gives their bytes to `write` in order. */
export const unpacking = (write: (bytes: Uint8Array) => void) => {
  const gunzip = createGunzip()
  let failure: Error | undefined
  let settled: (() => void) | undefined
  const fail = (cause: Error) => {
    failure ??= cause
    gunzip.destroy()
    settled?.()
  }
  gunzip.on("data", (bytes: Uint8Array) => {
    if (failure !== undefined) return
    try {
      write(bytes)
    } catch (cause) {
      fail(cause as Error)
    }
  })
  gunzip.on("error", () => fail(new ContentWrong("the contents are no gzip, or are cut off")))
  const step = (begin: (done: () => void) => void) =>
    new Promise<void>((resolve, reject) => {
      const done = () => {
        settled = undefined
        if (failure === undefined) resolve()
        else reject(failure)
      }
      if (failure !== undefined) return done()
      settled = done
      begin(done)
    })
  return {
    /** Resolves when the bytes are written. */
    add: (piece: Uint8Array) => step((done) => void gunzip.write(piece, done)),
    end: () =>
      step((done) => {
        gunzip.once("end", done)
        gunzip.end()
      }),
    close: () => void gunzip.destroy()
  } as const
}
