import { MAX_IMAGE_BYTES } from "../../../contract/rows/file-fields.ts"
import type { FileContent } from "../../../contract/rows/workspace-file.ts"
import { IMAGE_MAGIC_BYTES, imageSizeOf, type ImageType, imageTypeOf } from "./image-header.ts"

/** Takes the bytes of a file while they may be an image's, and keeps at most the limit. */
export class ImageRead {
  readonly #sizeBytes: number
  readonly #pieces: Array<Buffer> = []
  #keptBytes = 0
  /** Unknown before the first bytes. */
  #type: ImageType | "unknown" | "none" = "unknown"

  constructor(sizeBytes: number) {
    this.#sizeBytes = sizeBytes
  }

  /** Takes the next bytes of an image, and says whether more are useful. `undefined` if the file is no image. */
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
