import * as fs from "node:fs"
import * as path from "node:path"
import { namesIn } from "../../system/files/entries.ts"

// Contents of files that clients have sent, by their SHA-256: an unchanged file is sent once. All functions may throw the error of a file system.

/** Maximum bytes of all kept contents, and of one. */
const MAX_BYTES = 2 * 1024 * 1024 * 1024
const MAX_CONTENT_BYTES = 64 * 1024 * 1024
/** Maximum kept contents. */
const MAX_COUNT = 200_000

const SHA256 = /^[0-9a-f]{64}$/

/** Contents in a folder. One client's contents are never another's: who knows a digest would learn whether somebody has the file. */
export class KeptContents {
  readonly #folder: string
  /** Bytes by digest, the least recently used first. */
  readonly #known = new Map<string, number>()
  #bytes = 0

  constructor(folder: string) {
    this.#folder = folder
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
    const found = namesIn(folder).filter((name) => SHA256.test(name)).flatMap((name) => {
      const stat = fs.lstatSync(this.#fileOf(name), { throwIfNoEntry: false })
      return stat === undefined ? [] : [{ name, size: stat.size, usedMs: stat.ctimeMs }]
    })
    for (const { name, size } of found.sort((one, other) => one.usedMs - other.usedMs)) this.#remember(name, size)
  }

  /** The file with a content. Undefined if there is none. */
  find(sha256: string): string | undefined {
    const size = this.#known.get(sha256)
    if (size === undefined) return undefined
    this.#known.delete(sha256)
    this.#known.set(sha256, size)
    return this.#fileOf(sha256)
  }

  forget(sha256: string) {
    this.#bytes -= this.#known.get(sha256) ?? 0
    this.#known.delete(sha256)
  }

  /** Keeps the content of a whole file of the spool as a second name of it: nobody writes to either. */
  keep(sha256: string, size: number, at: Buffer) {
    if (size > MAX_CONTENT_BYTES || this.#known.has(sha256)) return
    try {
      fs.linkSync(at, this.#fileOf(sha256))
    } catch (cause) {
      // A file with as many names as its file system allows, or one that another removal has left.
      if (["EMLINK", "EEXIST"].includes((cause as NodeJS.ErrnoException).code ?? "")) return
      throw cause
    }
    this.#remember(sha256, size)
  }

  /** Removes the least recently used contents until the rest is within the bounds. */
  prune() {
    for (const [sha256] of this.#known) {
      if (this.#bytes <= MAX_BYTES && this.#known.size <= MAX_COUNT) return
      fs.rmSync(this.#fileOf(sha256), { force: true })
      this.forget(sha256)
    }
  }

  #remember(sha256: string, size: number) {
    this.#known.set(sha256, size)
    this.#bytes += size
  }

  #fileOf(sha256: string) {
    return path.join(this.#folder, sha256)
  }
}
