import type { WalkEntry } from "../../../guest-channel/files.ts"

/** Maximum bytes of names: with quotes and JSON around them they fit a message of 16 MiB. */
const MAX_NAME_BYTES = 2_097_152

interface Ranked {
  readonly entry: WalkEntry
  readonly depth: number
}

const nameBytes = ({ linkTarget, path }: WalkEntry) => path.length + linkTarget.length

const depthOf = (path: Uint8Array) => {
  let depth = 0
  for (const byte of path) if (byte === 0x2f) depth++
  return depth
}

const byPath = (a: Ranked, b: Ranked) => Buffer.compare(a.entry.path, b.entry.path)
const byDepth = (a: Ranked, b: Ranked) => a.depth - b.depth || byPath(a, b)

/**
 * Keeps the highest entries of a walk, and the first ones of a level: at most `limit`, and at most 2 MiB of names. So a large
 * directory deep below does not displace its upper neighbours.
 */
export class UpperEntries {
  readonly #limit: number
  #held: Array<Ranked> = []
  #heldBytes = 0
  /** After the first removal, entries that rank lower stay out. */
  #worst: Ranked | undefined
  seen = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  add(entry: WalkEntry) {
    this.seen++
    const ranked = { entry, depth: depthOf(entry.path) }
    if (this.#worst !== undefined && byDepth(ranked, this.#worst) > 0) return
    this.#held.push({
      depth: ranked.depth,
      entry: { ...entry, path: copy(entry.path), linkTarget: copy(entry.linkTarget) }
    })
    this.#heldBytes += nameBytes(entry)
    if (this.#held.length > 2 * this.#limit + 1_000 || this.#heldBytes > 2 * MAX_NAME_BYTES) this.#prune()
  }

  #prune() {
    this.#held.sort(byDepth)
    let bytes = 0
    const fitting = this.#held.findIndex(({ entry }, index) =>
      index >= this.#limit || (bytes += nameBytes(entry)) > MAX_NAME_BYTES
    )
    if (fitting === -1) return
    this.#held.length = fitting
    this.#heldBytes = this.#held.reduce((sum, { entry }) => sum + nameBytes(entry), 0)
    this.#worst = this.#held.at(-1)
  }

  /** The kept entries, in the byte order of their paths. */
  sorted(): ReadonlyArray<WalkEntry> {
    this.#prune()
    return this.#held.sort(byPath).map(({ entry }) => entry)
  }
}

/** Names are views of whole socket chunks. */
const copy = (bytes: Uint8Array) => Uint8Array.from(bytes)
