import { createHash } from "node:crypto"
import { promisify } from "node:util"
import { deflate as deflateCallback, deflateSync, inflateSync } from "node:zlib"

/** Git's name of a file's content: 40 hexadecimal digits. */
export const blobName = (content: Uint8Array): string =>
  createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex")

/** In zlib's format. */
export const deflate = (bytes: Uint8Array): Uint8Array => deflateSync(bytes)

/** The same on another thread. */
export const deflateBeside: (bytes: Uint8Array) => Promise<Uint8Array> = promisify(deflateCallback)

/**
 * The inflated bytes, which must be exactly `size` bytes. Undefined for another size or damaged input. Never makes more than `size` bytes
 * plus one.
 */
export const inflateExactly = (bytes: Uint8Array, size: number): Uint8Array | undefined => {
  try {
    const content = inflateSync(bytes, { maxOutputLength: size + 1 })
    return content.length === size ? content : undefined
  } catch {
    return undefined
  }
}
