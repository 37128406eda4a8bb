import { Effect, Stream } from "effect"
import { DiskDamaged } from "../../contract/errors/errors.ts"
import type { Guest } from "../../lib/vm/model/guest.ts"
import { explainInspector } from "../life/read/inspector.ts"
import type { DiskContent } from "./image.ts"
import type { Extent } from "./map.ts"

type Range = Pick<Extent, "length" | "start">

/** Copies the parts of a piece that belong to the ranges; the others stay zeros. */
const keptOf = (piece: Buffer, start: number, ranges: Iterable<Range>): Buffer => {
  const kept = Buffer.alloc(piece.length)
  for (const range of ranges) {
    const from = Math.max(range.start, start)
    const to = Math.min(range.start + range.length, start + piece.length)
    if (from < to) piece.copy(kept, from - start, from - start, to - start)
  }
  return kept
}

/** The ranges that overlap a piece, from ranges in order. Pieces come in order too. */
const overlapping = (ranges: ReadonlyArray<Range>) => {
  let at = 0
  return (start: number, end: number): ReadonlyArray<Range> => {
    while (at < ranges.length && ranges[at]!.start + ranges[at]!.length <= start) at++
    let last = at
    while (last < ranges.length && ranges[last]!.start < end) last++
    return ranges.slice(at, last)
  }
}

/** Reads the ranges of an inspector's disk through the guest. A guest that gives less than it was asked for has lost its disk. */
export const guestContent = (
  guest: Guest,
  ranges: ReadonlyArray<Range>,
  virtualBytes: number
): DiskContent => {
  const wanted = overlapping(ranges)
  const device = guest.vm.steps.diskDevice
  return {
    read: (start, length) =>
      Effect.gen(function*() {
        const size = Math.min(length, virtualBytes - start)
        const pieces = yield* Stream.runCollect(
          guest.channel.read({ root: "", path: device, offset: start, limit: size, device: true })
        )
        const piece = Buffer.concat([...pieces, Buffer.alloc(length - size)])
        if (piece.length !== length) {
          return yield* new DiskDamaged({ detail: `its device gave ${piece.length} bytes instead of ${length}` })
        }
        return keptOf(piece, start, wanted(start, start + length))
      }).pipe(
        Effect.catchTag("AgentCallFailed", ({ message }) => new DiskDamaged({ detail: message })),
        explainInspector(guest)
      )
  }
}
