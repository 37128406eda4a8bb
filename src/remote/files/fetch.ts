import { Effect, Stream } from "effect"
import { createHash } from "node:crypto"
import { createGunzip, type Gunzip } from "node:zlib"
import { DaemonUnavailable, type PyroError } from "../../contract/errors/errors.ts"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import { SPOOL_BLOCK_BYTES } from "../../contract/wire/spool.ts"
import { outputOf, putImage, refused } from "../../lib/exporting/one-file.ts"

const zeros = Buffer.alloc(SPOOL_BLOCK_BYTES)

const isZero = (block: Uint8Array) => Buffer.from(block.buffer, block.byteOffset, block.length).equals(zeros)

/** The file did not come as the other machine has announced it. */
const damaged = (detail: string) => new DaemonUnavailable({ detail: `the file of the other machine ${detail}` })

/** Bytes in gzip that are unpacked at once: they may become a thousand times as many, and the other machine chose them. */
const PACKED_BYTES = 16 * 1024

/** Unpacks what comes in gzip, as fast as it is written. */
class Unpacked {
  readonly #gunzip: Gunzip = createGunzip()
  #pieces: Array<Uint8Array> = []
  #failure: string | undefined
  #onEnd: (() => void) | undefined

  constructor() {
    this.#gunzip.on("data", (piece: Uint8Array) => this.#pieces.push(piece))
    this.#gunzip.on("error", () => {
      this.#failure = "is damaged"
      this.#onEnd?.()
    })
  }

  /** The bytes that this piece gives. */
  add(packed: Uint8Array) {
    return this.#after((done) => void this.#gunzip.write(packed, done))
  }

  get end() {
    return this.#after((done) => {
      this.#gunzip.once("end", done)
      this.#gunzip.end()
    })
  }

  close() {
    this.#gunzip.destroy()
  }

  #after(begin: (done: () => void) => void) {
    return Effect.callback<Buffer, DaemonUnavailable>((resume) => {
      const done = () => {
        this.#onEnd = undefined
        const pieces = this.#pieces
        this.#pieces = []
        resume(
          this.#failure === undefined ? Effect.succeed(Buffer.concat(pieces)) : Effect.fail(damaged(this.#failure))
        )
      }
      if (this.#failure !== undefined) return done()
      this.#onEnd = done
      begin(done)
    })
  }
}

interface Asked {
  readonly output: string
  readonly overwrite: boolean
}

/** Where an export writes here, checked before the other machine begins. */
export const checkOutput = ({ output: asked, overwrite }: Asked) =>
  Effect.gen(function*() {
    const output = yield* outputOf(asked)
    yield* Effect.scoped(putImage(output, { overwrite }, 0)).pipe(Effect.catchTag("PutFailed", refused(output, 0)))
    return output
  })

/** Writes a file of the other machine's spool to its place here, whole or not at all. Gives whether it replaced one, and the folder it made. */
export const fetchFile = (
  pyro: PyroService,
  id: string,
  { overwrite }: Asked,
  output: Effect.Success<ReturnType<typeof checkOutput>>
): Effect.Effect<{ readonly isReplaced: boolean; readonly made?: string | undefined }, PyroError> =>
  Effect.gen(function*() {
    const unpacked = new Unpacked()
    yield* Effect.addFinalizer(() => Effect.sync(() => unpacked.close()))
    const hash = createHash("sha256")
    let put: Effect.Success<ReturnType<typeof putImage>> | undefined
    let announced = 0
    let received = 0
    let expected: { readonly sizeBytes: number; readonly sha256: string } | undefined
    let held: Buffer = Buffer.alloc(0)
    const write = (bytes: Buffer, isLast: boolean) =>
      Effect.gen(function*() {
        received += bytes.length
        if (received > announced) return yield* damaged("has more bytes than it said")
        hash.update(bytes)
        held = held.length === 0 ? bytes : Buffer.concat([held, bytes])
        while (held.length >= SPOOL_BLOCK_BYTES || (isLast && held.length > 0)) {
          const block = held.subarray(0, SPOOL_BLOCK_BYTES)
          held = held.subarray(block.length)
          yield* block.length === SPOOL_BLOCK_BYTES && isZero(block) ? put!.skip(SPOOL_BLOCK_BYTES) : put!.write(block)
        }
      })
    yield* Stream.runForEach(pyro.spool.take({ id }), (event) =>
      Effect.gen(function*() {
        switch (event._tag) {
          case "Opened":
            if (put !== undefined) return yield* damaged("began twice")
            announced = event.sizeBytes
            put = yield* putImage(output, { overwrite }, Math.min(event.dataBytes, event.sizeBytes))
            return
          case "Output":
            if (put === undefined) return yield* damaged("has no size")
            for (let at = 0; at < event.bytes.length; at += PACKED_BYTES) {
              yield* write(yield* unpacked.add(event.bytes.subarray(at, at + PACKED_BYTES)), false)
            }
            return
          case "Ended":
            expected = event
        }
      }))
    if (put === undefined || expected === undefined) return yield* damaged("did not come")
    yield* write(yield* unpacked.end, true)
    if (received !== announced || hash.digest("hex") !== expected.sha256) return yield* damaged("is damaged")
    yield* put.endFile
    const { made, replaced } = yield* put.commit
    return { isReplaced: replaced.length > 0, ...(made === undefined ? {} : { made }) }
  }).pipe(Effect.scoped, Effect.catchTag("PutFailed", refused(output, 0)))
