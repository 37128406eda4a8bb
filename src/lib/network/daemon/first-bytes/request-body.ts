import type { Body } from "../../both/first-bytes/http.ts"

/** A chunk's size (RFC 9112, 7.1), without extensions. The last chunk has no trailers: servers disagree on both. */
const SIZE = /^([0-9A-Fa-f]{1,8})\r\n/
const SIZE_PREFIX = /^[0-9A-Fa-f]{1,8}\r?$/
/** Maximum bytes of a size with its end. */
const SIZE_BYTES = 10

const END = Buffer.from("\r\n")

/** Follows the body of one request: counts the bytes, and looks at none but the sizes of chunks. */
export class RequestBody {
  readonly #body: Body
  /** Bytes of the body, or of the current chunk. */
  #left: number
  #part: "size" | "data" | "end" = "size"
  #isLast = false
  isOver: boolean

  constructor(body: Body) {
    this.#body = body
    this.#left = body._tag === "Length" ? body.bytes : 0
    this.isOver = body._tag === "Length" && body.bytes === 0
  }

  /** Number of the first bytes that belong to the body. `undefined`: servers may disagree on them. The others wait for more. */
  take(bytes: Buffer): number | undefined {
    switch (this.#body._tag) {
      case "Unknown":
        return bytes.length === 0 ? 0 : undefined
      case "Length": {
        const taken = this.#count(bytes.length)
        this.isOver = this.#left === 0
        return taken
      }
      case "Chunked":
        return this.#takeChunks(bytes)
    }
  }

  #count(available: number) {
    const taken = Math.min(available, this.#left)
    this.#left -= taken
    return taken
  }

  #takeChunks(bytes: Buffer): number | undefined {
    let at = 0
    while (!this.isOver && at < bytes.length) {
      if (this.#part === "data") {
        at += this.#count(bytes.length - at)
        if (this.#left === 0) this.#part = "end"
        continue
      }
      const size = this.#part === "size" ? SIZE_BYTES : END.length
      const taken = this.#takeControl(bytes.subarray(at, at + size))
      if (taken === undefined) return undefined
      if (taken === 0) break
      at += taken
    }
    return at
  }

  /** Takes the size of a chunk, or the end of one. 0: the bytes are too few. */
  #takeControl(bytes: Buffer): number | undefined {
    if (this.#part === "end") {
      if (!bytes.equals(END.subarray(0, bytes.length))) return undefined
      if (bytes.length < END.length) return 0
      this.#part = "size"
      this.isOver = this.#isLast
      return END.length
    }
    const text = bytes.toString("latin1")
    const [line = "", digits = ""] = SIZE.exec(text) ?? []
    if (line === "") return SIZE_PREFIX.test(text) ? 0 : undefined
    this.#left = parseInt(digits, 16)
    this.#isLast = this.#left === 0
    this.#part = this.#isLast ? "end" : "data"
    return line.length
  }
}
