import { MAX_IMAGE_BYTES } from "../../../contract/rows/file-fields.ts"
import type { FileContent } from "../../../contract/rows/workspace-file.ts"

/** Collects the bytes of a file while it may be an image, up to the limit. */
export class ImageRead {
  readonly #sizeBytes: number
  readonly #pieces: Array<Buffer> = []
  #keptBytes = 0
  /** Unknown before the first bytes. */
  #type: ImageType | "unknown" | "none" = "unknown"

  constructor(sizeBytes: number) {
    this.#sizeBytes = sizeBytes
  }

  /** Adds the next bytes. Returns whether more are useful. `undefined` if the file is no image. */
  push(bytes: Uint8Array): boolean | undefined {
    if (this.#type === "unknown" && bytes.length > 0) {
      const first = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, IMAGE_MAGIC_BYTES))
      this.#type = imageTypeOf(first) ?? "none"
    }
    if (this.#type === "none" || this.#type === "unknown") return undefined
    const kept = Buffer.from(bytes.subarray(0, MAX_IMAGE_BYTES + 1 - this.#keptBytes))
    this.#pieces.push(kept)
    this.#keptBytes += kept.length
    return this.#keptBytes <= MAX_IMAGE_BYTES
  }

  found(): FileContent["image"] {
    if (this.#type === "none" || this.#type === "unknown") return undefined
    const all = Buffer.concat(this.#pieces)
    // A guest may report a wrong size.
    const fits = all.length <= MAX_IMAGE_BYTES && this.#sizeBytes <= MAX_IMAGE_BYTES
    return { mediaType: this.#type, ...imageSizeOf(this.#type, all), ...(fits ? { content: all } : {}) }
  }
}

/** Formats that models see. */
type ImageType = "image/png" | "image/jpeg" | "image/gif" | "image/webp"

interface ImageSize {
  readonly width: number
  readonly height: number
}

/** Number of first bytes that show the format of a file. */
const IMAGE_MAGIC_BYTES = 12

const ascii = (bytes: Buffer, from: number, to: number) => bytes.toString("latin1", from, to)

/** The format of an image by its first bytes. A file's name may be wrong. */
export const imageTypeOf = (bytes: Buffer): ImageType | undefined => {
  if (bytes.length < IMAGE_MAGIC_BYTES) return undefined
  if (ascii(bytes, 0, 8) === "\x89PNG\r\n\x1a\n") return "image/png"
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return "image/jpeg"
  if (/^GIF8[79]a$/.test(ascii(bytes, 0, 6))) return "image/gif"
  if (ascii(bytes, 0, 4) === "RIFF" && ascii(bytes, 8, 12) === "WEBP") return "image/webp"
  return undefined
}

/** Width and height in an image's header. `undefined` without a valid header. The guest wrote these bytes. */
export const imageSizeOf = (type: ImageType, bytes: Buffer): ImageSize | undefined => {
  const size = read[type](bytes)
  return size === undefined || size.width === 0 || size.height === 0 ? undefined : size
}

const png = (bytes: Buffer) =>
  bytes.length >= 24 && ascii(bytes, 12, 16) === "IHDR"
    ? { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) }
    : undefined

const gif = (bytes: Buffer) =>
  bytes.length >= 10 ? { width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) } : undefined

/** Maximum segments of a JPEG before the frame. A hostile file may have a million of four bytes. */
const MAX_SEGMENTS = 1_000

const jpeg = (bytes: Buffer) => {
  let at = 2
  for (let segment = 0; segment < MAX_SEGMENTS && at + 9 <= bytes.length; segment++) {
    if (bytes[at] !== 0xff) return undefined
    const marker = bytes[at + 1]!
    // A fill byte.
    if (marker === 0xff) {
      at++
      continue
    }
    // Start of a frame of any kind. C4, C8 and CC are tables and an extension.
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      return { width: bytes.readUInt16BE(at + 7), height: bytes.readUInt16BE(at + 5) }
    }
    // Markers without a length, then the beginning of the data, which the frame must precede.
    if (marker === 0xda || marker === 0xd9) return undefined
    at += marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7) ? 2 : 2 + bytes.readUInt16BE(at + 2)
  }
  return undefined
}

const webp = (bytes: Buffer) => {
  if (bytes.length < 30) return undefined
  switch (ascii(bytes, 12, 16)) {
    case "VP8 ":
      return { width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff }
    case "VP8L": {
      const bits = bytes.readUInt32LE(21)
      return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 }
    }
    case "VP8X":
      return { width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1 }
    default:
      return undefined
  }
}

const read = { "image/png": png, "image/jpeg": jpeg, "image/gif": gif, "image/webp": webp } as const
