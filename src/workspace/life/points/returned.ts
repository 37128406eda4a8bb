import { Effect } from "effect"
import { dropWhole, settleWhole } from "../../../lib/vm/model/memory-image.ts"
import { Vmm } from "../../../lib/vm/Vmm.ts"
import { attempt } from "../../../system/files/failure.ts"
import { linkTree } from "../../../system/files/link-tree.ts"
import { nowMs } from "../../../system/waits/time.ts"
import type { Entry } from "../../entry/entry.ts"
import { unwritten } from "../../entry/record.ts"
import { makePoint, newPointId, type Point, type PointRecord } from "../records/point.ts"
import { takeAhead } from "./ahead.ts"

/**
 * Makes the point of the state right after a return to a point, without a copy: further names of the files of that point, after the same commands. Of
 * a memory with diffs it has the whole image, which the next VM maps.
 */
export const keepReturned = (
  entry: Entry,
  { folder, record }: Point,
  place: Pick<PointRecord, "commands" | "number" | "undone">
) =>
  Effect.gen(function*() {
    const { memory } = record.captured
    const { memoryPath } = folder.frozen
    if (memory !== undefined) {
      yield* takeAhead(entry, { folder })
      yield* Effect.flatMap(Vmm, (vmm) => vmm.on(memory.spec.driver).prepareMemory(memoryPath))
    }
    const { diskMark: _, seenMs: _seen, ...same } = record
    const id = newPointId()
    const returned: PointRecord = {
      ...same,
      ...place,
      id,
      unchanged: 0,
      // Without a memory, none of them comes back.
      running: memory === undefined ? [] : same.running,
      writtenBytes: 0,
      returned: { to: record.id, atMs: yield* nowMs }
    }
    return yield* makePoint(entry.folder, id, (half) =>
      Effect.gen(function*() {
        yield* linkTree(folder.directory, half.directory)
        if (memory === undefined) return returned
        yield* Effect.mapError(
          attempt("rename", half.directory, () => {
            settleWhole(half.frozen.memoryPath)
            dropWhole(memoryPath)
          }),
          unwritten(entry.folder)
        )
        return returned
      }))
  })
