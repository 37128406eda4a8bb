import { createHash } from "node:crypto"
import { MAX_MANIFEST_BYTES } from "./manifest.ts"

/**
 * One exported snapshot: a mark, the length of the manifest (u32, big-endian), the manifest as JSON, its files, and the SHA-256 of all bytes
 * before. A file is pieces of its data: offset (u64), length (u32), bytes; a piece of length 0 ends it. Bytes that are in no piece are zeros.
 */
export const MARK = Buffer.from("pyro-saved-snapshot-1\n")

export const PIECE_BYTES = 1024 * 1024
export const PIECE_HEAD_BYTES = 12
export const DIGEST_BYTES = 32

/** Mark, length and manifest. */
export const archiveHead = (manifest: unknown): Buffer => {
  const json = Buffer.from(JSON.stringify(manifest))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(json.length)
  return Buffer.concat([MARK, length, json])
}

export const pieceHead = (offset: number, length: number): Buffer => {
  const head = Buffer.alloc(PIECE_HEAD_BYTES)
  head.writeBigUInt64BE(BigInt(offset))
  head.writeUInt32BE(length, 8)
  return head
}

/** The pieces of an extent. */
export function* piecesOf(start: number, end: number) {
  for (let at = start; at < end; at += PIECE_BYTES) yield { offset: at, length: Math.min(PIECE_BYTES, end - at) }
}

/** Bytes that an extent takes. */
export const bytesOfExtent = (start: number, end: number): number =>
  end - start + PIECE_HEAD_BYTES * Math.ceil((end - start) / PIECE_BYTES)

/** The file is no exported snapshot, or no whole one. */
export class WrongArchive extends Error {}

/** A place and a length in a file of an archive. */
interface Piece {
  readonly offset: number
  readonly length: number
}

/** Reads an archive from its beginning to its end. Every number is checked before it is used. Throws `WrongArchive`. */
export class ArchiveReader {
  readonly #read: (length: number) => Promise<Buffer>
  readonly #hash = createHash("sha256")

  /** @param read gives the next bytes, fewer only at the end of the file */
  constructor(read: (length: number) => Promise<Buffer>) {
    this.#read = read
  }

  async #take(length: number): Promise<Buffer> {
    const bytes = await this.#read(length)
    if (bytes.length < length) throw new WrongArchive("it is cut off")
    this.#hash.update(bytes)
    return bytes
  }

  /** The manifest, as JSON. */
  async manifest(): Promise<unknown> {
    const mark = await this.#take(MARK.length)
    if (!mark.equals(MARK)) throw new WrongArchive("it is no saved snapshot of this version of pyro")
    const length = (await this.#take(4)).readUInt32BE()
    if (length > MAX_MANIFEST_BYTES) throw new WrongArchive("its manifest is too large")
    const json = await this.#take(length)
    try {
      return JSON.parse(json.toString("utf8")) as unknown
    } catch {
      throw new WrongArchive("its manifest is no JSON")
    }
  }

  /** The next piece of a file of `size` bytes, after the byte `from`. Undefined at its end. */
  async piece(from: number, size: number): Promise<Piece & { readonly bytes: Buffer } | undefined> {
    const head = await this.#take(PIECE_HEAD_BYTES)
    const length = head.readUInt32BE(8)
    if (length === 0) return undefined
    const offset = Number(head.readBigUInt64BE())
    if (length > PIECE_BYTES || offset < from || offset + length > size) throw new WrongArchive("a piece has no place")
    return { offset, length, bytes: await this.#take(length) }
  }

  /** The digest of the content in hexadecimal. The archive ends after it. */
  async end(): Promise<string> {
    const digest = this.#hash.digest()
    const found = await this.#read(DIGEST_BYTES + 1)
    if (!found.equals(digest)) throw new WrongArchive("its content does not have its digest")
    return digest.toString("hex")
  }
}
