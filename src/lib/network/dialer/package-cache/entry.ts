import { createHash } from "node:crypto"
import type { FileHandle } from "node:fs/promises"

/** Head of an answer that is kept. */
export interface EntryHead {
  /** Host, port, path and Accept header of the request. */
  readonly key: string
  readonly contentType?: string | undefined
  /** `gzip`, or absent. */
  readonly contentEncoding?: string | undefined
  readonly cacheControl?: string | undefined
  readonly etag?: string | undefined
  readonly lastModified?: string | undefined
}

/** The same with the SHA-256 of the body, in base64. */
type StoredHead = EntryHead & { readonly digest: string }

// An entry is one file: the body, the head as JSON, and a tail of fixed size. A file that was cut has no tail.
const MAGIC = "\npackages2\n"
const LENGTH_DIGITS = 8
const TIME_DIGITS = 13
const TAIL_BYTES = LENGTH_DIGITS + TIME_DIGITS + MAGIC.length

const digits = (number: number, count: number) => String(Math.trunc(number)).padStart(count, "0")

/** Head and tail, which follow the body in an entry's file. */
export const encodeEnd = (head: EntryHead, digest: string, validatedMs: number): Buffer => {
  const json = Buffer.from(JSON.stringify({ ...head, digest } satisfies StoredHead))
  const tail = `${digits(json.length, LENGTH_DIGITS)}${digits(validatedMs, TIME_DIGITS)}${MAGIC}`
  return Buffer.concat([json, Buffer.from(tail)])
}

/** Reads bytes of a body, one piece after the other. The owner closes it. */
export interface BodyReader {
  /** The next bytes; undefined at the end. */
  readonly next: () => Promise<Buffer | undefined>
  readonly close: () => void
}

const PIECE_BYTES = 65_536

const bytesAt = async (file: FileHandle, position: number, length: number) => {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position)
  return buffer.subarray(0, bytesRead)
}

/** An answer that is kept, open for reading. */
export class Entry {
  readonly head: EntryHead
  readonly bodyBytes: number
  readonly validatedMs: number
  readonly #digest: string
  readonly #file: FileHandle

  private constructor(file: FileHandle, head: StoredHead, bodyBytes: number, validatedMs: number) {
    const { digest, ...rest } = head
    this.#file = file
    this.#digest = digest
    this.head = rest
    this.bodyBytes = bodyBytes
    this.validatedMs = validatedMs
  }

  /** Reads the end of an entry's file; undefined for a damaged file. The entry owns the file. */
  static async read(file: FileHandle, key: string): Promise<Entry | undefined> {
    const { size } = await file.stat()
    const tail = (await bytesAt(file, Math.max(0, size - TAIL_BYTES), TAIL_BYTES)).toString("latin1")
    const length = Number(tail.slice(0, LENGTH_DIGITS))
    const validatedMs = Number(tail.slice(LENGTH_DIGITS, LENGTH_DIGITS + TIME_DIGITS))
    const bodyBytes = size - TAIL_BYTES - length
    if (!tail.endsWith(MAGIC) || !(bodyBytes >= 0) || !Number.isSafeInteger(validatedMs)) return undefined
    try {
      const head = JSON.parse((await bytesAt(file, bodyBytes, length)).toString()) as StoredHead
      return head.key === key ? new Entry(file, head, bodyBytes, validatedMs) : undefined
    } catch {
      return undefined
    }
  }

  /** Notes that the registry still has this answer. */
  async validated(nowMs: number): Promise<void> {
    const { size } = await this.#file.stat()
    const position = size - TAIL_BYTES + LENGTH_DIGITS
    await this.#file.write(Buffer.from(digits(nowMs, TIME_DIGITS)), 0, TIME_DIGITS, position)
  }

  /** Notes the time of a use, for the eviction. */
  async used(nowMs: number): Promise<void> {
    await this.#file.utimes(nowMs / 1000, nowMs / 1000)
  }

  /** Reads the body. A whole body is compared with its digest: `onDamage` is called before the last bytes fail. */
  body(onDamage: () => void, { end = this.bodyBytes, start = 0 } = {}): BodyReader {
    const hash = start === 0 && end === this.bodyBytes ? createHash("sha256") : undefined
    let at = start
    const next = async () => {
      const bytes = await bytesAt(this.#file, at, Math.min(PIECE_BYTES, end - at))
      at += bytes.length
      hash?.update(bytes)
      const isDamaged = at < end ? bytes.length === 0 : hash !== undefined && hash.digest("base64") !== this.#digest
      if (isDamaged) {
        onDamage()
        throw new Error("the entry is damaged")
      }
      return bytes
    }
    let isOver = false
    return {
      next: async () => {
        if (isOver) return undefined
        const bytes = await next()
        isOver = at >= end
        return bytes.length === 0 ? undefined : bytes
      },
      close: () => void this.close()
    }
  }

  async close(): Promise<void> {
    await this.#file.close().catch(() => {})
  }
}
