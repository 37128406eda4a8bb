import { createHash } from "node:crypto"

/** Size and SHA-256 of bytes that pass by. */
export class ContentHash {
  #hash = createHash("sha256")
  #size = 0

  add(bytes: Uint8Array) {
    this.#hash.update(bytes)
    this.#size += bytes.length
  }

  /** What was added since the last call. */
  take() {
    const taken = { size: this.#size, sha256: this.#hash.digest("hex") }
    this.#hash = createHash("sha256")
    this.#size = 0
    return taken
  }
}

/** SHA-256 of bytes, in hexadecimal. */
export const sha256Hex = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex")
