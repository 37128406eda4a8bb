import { Effect } from "effect"
import { type ChannelFailed, DiskDamaged } from "../../contract/errors/errors.ts"
import type { GuestChannel } from "../../lib/guest-channel/GuestChannel.ts"
import type { AgentCallFailed } from "../../lib/guest-channel/model/errors.ts"
import type { Extent } from "./map.ts"

/** Unused ranges of a disk, in order: first byte and end of the first range, then of the second one, and so on. */
export type FreeSpace = ReadonlyArray<number>

/** Bytes of one call. The agent reads the bitmaps of 8 block groups, and answers nothing else meanwhile. */
const WINDOW_BYTES = 1024 ** 3

/** Minimum bytes of an answer that ends early: the agent's maximum of 2000 ranges of at least 1 KiB. */
const MIN_STEP_BYTES = 2000 * 1024

/** Maximum number of ranges: a disk of 32 GiB whose every other block is unused. */
const MAX_RANGES = 4_194_304

const RANGE_BYTES = 16

/** The ranges do not fit one disk. */
export class WrongFreeSpace extends Error {}

/** Collects the ranges of an agent. The guest may control the agent, so each number is checked. */
export class FreeSpaceReader {
  readonly #virtualBytes: number
  readonly #bounds: Array<number> = []
  #at = 0

  constructor(virtualBytes: number) {
    this.#virtualBytes = virtualBytes
  }

  /** The next part of the disk to ask for. `undefined` at the end of the disk. */
  get next(): { readonly start: number; readonly length: number } | undefined {
    const length = Math.min(WINDOW_BYTES, this.#virtualBytes - this.#at)
    return length === 0 ? undefined : { start: this.#at, length }
  }

  /** Adds the answer for `next`. Throws `WrongFreeSpace`. */
  add({ end, ranges }: { readonly end: number; readonly ranges: Uint8Array }) {
    const stop = this.#at + (this.next?.length ?? 0)
    if (end > stop || (end < stop && end - this.#at < MIN_STEP_BYTES)) {
      throw new WrongFreeSpace(`its unused blocks from byte ${this.#at} on end at byte ${end}`)
    }
    const view = new DataView(ranges.buffer, ranges.byteOffset, ranges.byteLength)
    if (ranges.length % RANGE_BYTES !== 0) throw new WrongFreeSpace("a range of unused blocks is cut")
    for (let at = 0; at < ranges.length; at += RANGE_BYTES) {
      this.#addRange(Number(view.getBigUint64(at)), Number(view.getBigUint64(at + 8)), end)
    }
    this.#at = end
  }

  #addRange(start: number, length: number, stop: number) {
    const bounds = this.#bounds
    if (length === 0 || start < Math.max(this.#at, bounds.at(-1) ?? 0) || start + length > stop) {
      throw new WrongFreeSpace(`its unused blocks from byte ${start} on are out of order`)
    }
    if (start === bounds.at(-1)) bounds[bounds.length - 1] = start + length
    else if (bounds.length < 2 * MAX_RANGES) bounds.push(start, start + length)
    else throw new WrongFreeSpace("its unused blocks are too fragmented")
  }

  /** All ranges, at the end of the disk. */
  get found(): FreeSpace {
    return this.#bounds
  }
}

/** Asks an inspector for the unused bytes of the file system at `path`. Nothing may write its disk. */
export const readFreeSpace = (
  { call }: Pick<GuestChannel, "call">,
  path: string,
  virtualBytes: number
): Effect.Effect<FreeSpace, AgentCallFailed | ChannelFailed | DiskDamaged> =>
  Effect.gen(function*() {
    const reader = new FreeSpaceReader(virtualBytes)
    for (let next = reader.next; next !== undefined; next = reader.next) {
      const answer = yield* call.freeSpace({ path, ...next })
      yield* Effect.try({
        try: () => reader.add(answer),
        catch: (cause) => new DiskDamaged({ detail: (cause as WrongFreeSpace).message })
      })
    }
    return reader.found
  })

/** The extents without their unused bytes. */
export function* withoutFree(extents: Iterable<Extent>, free: FreeSpace): Generator<Extent, void> {
  let at = 0
  for (const extent of extents) {
    const { depth, length, offset, start } = extent
    const end = start + length
    for (let from = start; from < end;) {
      while (at < free.length && free[at + 1]! <= from) at += 2
      const freeFrom = free[at] ?? end
      const isFree = at < free.length && freeFrom <= from
      const to = Math.min(end, isFree ? free[at + 1]! : freeFrom)
      if (!isFree) yield { start: from, length: to - from, depth, offset: offset + from - start }
      from = to
    }
  }
}
