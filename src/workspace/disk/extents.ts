import { printable } from "../../contract/text/printable.ts"

/** A run of a disk's bytes in one file of its chain. Other bytes of the disk are zeros. */
export interface Extent {
  /** First byte on the disk. */
  readonly start: number
  readonly length: number
  /** File of the chain, 0 for the newest. */
  readonly depth: number
  /** First byte in the file. */
  readonly offset: number
}

/** Files of a chain by their depth, and the disk's size. */
export interface Chain {
  readonly virtualBytes: number
  /** Bytes of each file. */
  readonly fileBytes: ReadonlyArray<number>
}

/** Maximum number of extents: a disk of 256 GiB in single clusters. */
const MAX_EXTENTS = 4_194_304

/** Maximum characters of one line of the map. */
const MAX_LINE = 1_000

/** The map is not one of this chain. */
export class WrongMap extends Error {}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

/**
 * Reads what `qemu-img map --output=json` prints, an extent per line. A guest's QEMU wrote the metadata behind the map, so each number
 * is checked: extents follow each other up to the disk's end, and stay in their file.
 */
export class ExtentReader {
  readonly #chain: Chain
  readonly #extents: Array<Extent> = []
  #rest = ""
  #end = 0

  constructor(chain: Chain) {
    this.#chain = chain
  }

  push(text: string) {
    const lines = (this.#rest + text).split("\n")
    this.#rest = lines.pop()!
    if (this.#rest.length > MAX_LINE) throw new WrongMap("a line is too long")
    for (const line of lines) this.#add(line)
  }

  /** All extents with data, in the order of the disk. */
  finish(): ReadonlyArray<Extent> {
    this.#add(this.#rest)
    this.#rest = ""
    if (this.#end !== this.#chain.virtualBytes) throw new WrongMap(`the map ends at byte ${this.#end}`)
    return this.#extents
  }

  #add(line: string) {
    const text = line.trim().replace(/^\[/, "").replace(/[,\]]+$/, "")
    if (text === "") return
    const { depth, length, offset, start, ...kind } = decoded(text)
    if (start !== this.#end || !isCount(length) || length === 0) throw new WrongMap(`byte ${this.#end} is missing`)
    this.#end = start + length
    if (this.#end > this.#chain.virtualBytes) throw new WrongMap("the map is longer than the disk")
    if (kind["data"] !== true || kind["zero"] === true) return
    // QEMU compresses nothing that a guest writes.
    if (kind["compressed"] === true || !isCount(offset) || !isCount(depth)) {
      throw new WrongMap(`no place for byte ${start}`)
    }
    if (offset > (this.#chain.fileBytes[depth] ?? -1)) {
      throw new WrongMap(`byte ${start} lies behind the end of its file`)
    }
    if (this.#extents.length === MAX_EXTENTS) throw new WrongMap("the disk is too fragmented")
    this.#extents.push({ start, length, depth, offset })
  }
}

const decoded = (text: string): Readonly<Record<string, unknown>> => {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>
  } catch {
    throw new WrongMap(`no extent: ${printable(text.slice(0, 100))}`)
  }
}
