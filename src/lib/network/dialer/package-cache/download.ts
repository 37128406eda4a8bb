import type { IncomingMessage } from "node:http"
import type { BodyReader, EntryHead } from "./entry.ts"
import type { Draft } from "./store.ts"

const PIECE_BYTES = 65_536

/** One client of a download. */
interface Reader {
  /** Bytes that the client has of the file. */
  at: number
  /** Number of the last piece that the client got without the file. */
  piece: number
}

interface Options {
  readonly response: IncomingMessage
  readonly head: EntryHead
  readonly draft: Draft
  readonly maxBytes: number
  readonly nowMs: () => number
}

/**
 * An arriving answer, which goes to the disk, and from there to any number of clients at their own pace. If the disk refuses more bytes, the
 * clients get the rest directly, and nothing is kept. Without clients the download ends.
 */
export class Download {
  readonly head: EntryHead
  /** Length of the body; undefined if the registry does not say. */
  readonly bodyBytes: number | undefined
  /** Settles at the end, also after a failure. */
  readonly over: Promise<void>
  readonly #options: Options
  readonly #readers = new Set<Reader>()
  readonly #waiting = new Set<() => void>()
  #written = 0
  #isKept = true
  #isWhole = false
  #piece: { readonly number: number; readonly bytes: Buffer } = { number: 0, bytes: Buffer.alloc(0) }
  #end: { readonly failure: unknown } | undefined

  /** The caller takes a reader before it waits for anything. */
  constructor(options: Options) {
    this.#options = options
    this.head = options.head
    const length = options.response.headers["content-length"]
    this.bodyBytes = length === undefined ? undefined : Number(length)
    this.over = this.#run()
  }

  /** New clients may join: the body still arrives. A client that asks again for a whole body may have found damage. */
  get isOpen() {
    return this.#isKept && !this.#isWhole && this.#written !== this.bodyBytes && !this.#options.response.destroyed
  }

  reader(): BodyReader {
    const reader: Reader = { at: 0, piece: 0 }
    this.#readers.add(reader)
    return { next: () => this.#next(reader), close: () => this.#leave(reader) }
  }

  async #next(reader: Reader): Promise<Buffer | undefined> {
    for (;;) {
      const left = this.#written - reader.at
      if (left > 0) {
        const length = Math.min(left, PIECE_BYTES)
        const { buffer, bytesRead } = await this.#options.draft.file.read(Buffer.alloc(length), 0, length, reader.at)
        reader.at += bytesRead
        return buffer.subarray(0, bytesRead)
      }
      if (reader.piece < this.#piece.number) {
        reader.piece = this.#piece.number
        this.#changed()
        return this.#piece.bytes
      }
      if (this.#end?.failure !== undefined) throw this.#end.failure
      if (this.#end !== undefined) return undefined
      await this.#change()
    }
  }

  #leave(reader: Reader) {
    if (!this.#readers.delete(reader)) return
    this.#changed()
    if (this.#readers.size > 0) return
    if (this.#end !== undefined) return this.#close()
    // A client that joined in this turn of the event loop has no reader yet.
    setImmediate(() => {
      if (this.#readers.size === 0) this.#options.response.destroy(new Error("no client wants the answer any more"))
    })
  }

  async #run() {
    const { draft, head, nowMs, response } = this.#options
    try {
      for await (const bytes of response as AsyncIterable<Buffer>) await this.#take(bytes)
      this.#isWhole = true
      if (!response.complete) throw new Error("the registry ended its answer early")
      if (this.#isKept) await draft.commit(head, nowMs()).catch(() => this.#drop())
      this.#end = { failure: undefined }
    } catch (failure) {
      await this.#drop()
      this.#end = { failure }
    }
    this.#changed()
    if (this.#readers.size === 0) this.#close()
  }

  async #take(bytes: Buffer) {
    const { draft, maxBytes } = this.#options
    if (this.#isKept && this.#written + bytes.length <= maxBytes) {
      try {
        await draft.write(bytes)
        this.#written += bytes.length
        return this.#changed()
      } catch {
        // A full disk.
      }
    }
    if (this.#isKept) await this.#drop()
    await this.#handOver(bytes)
  }

  /** Gives bytes to every client that is left, and waits for the slowest. */
  async #handOver(bytes: Buffer) {
    const number = this.#piece.number + 1
    this.#piece = { number, bytes }
    this.#changed()
    while ([...this.#readers].some(({ piece }) => piece < number)) await this.#change()
  }

  async #drop() {
    this.#isKept = false
    await this.#options.draft.discard().catch(() => {})
  }

  #close() {
    this.#options.draft.file.close().catch(() => {})
  }

  #change() {
    return new Promise<void>((resolve) => this.#waiting.add(resolve))
  }

  #changed() {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const wake of waiting) wake()
  }
}
