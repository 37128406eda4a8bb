import { Effect, Option } from "effect"
import * as path from "node:path"
import { isEmptyLayer } from "../../../lib/disk/layer-format.ts"
import { makeWorkspaceDisk, shareLayers, type WorkspaceDisk } from "../../../lib/disk/workspace-disk.ts"
import { copyPushed } from "../../../lib/seeding/model/pushed.ts"
import type { Vm } from "../../../lib/vm/model/Vm.ts"
import { isSameFile } from "../../../system/files/host-path.ts"
import { bytesOnDisk } from "../../../system/files/usage.ts"
import { asStep } from "../../../system/telemetry/spans.ts"
import { faultPoint } from "../../../system/waits/fault.ts"
import { virtualBytesOf } from "../../entry/record.ts"
import { makePoint, type Point } from "../records/point.ts"
import { type Before, isNeedless, recordOf } from "./before.ts"

/** Whether a point has all frozen layers of a disk, and no others: nothing was frozen since. */
const hasLayersOf = ({ folder, record: { captured } }: Point, { layers }: WorkspaceDisk) => {
  const newest = layers.at(-1)
  return captured.layers === layers.length &&
    (newest === undefined || isSameFile(newest, path.join(folder.disk, path.basename(newest))))
}

/** A point with the layers of the disk: freezes the one that is written, if anything was. */
export const freezePoint = (before: Before, disk: WorkspaceDisk, vm: Pick<Vm, "freezeLayer"> | undefined) =>
  Effect.gen(function*() {
    const { entry: { folder }, journal, last, record } = before
    const bytes = virtualBytesOf(record)
    const directory = folder.disk(record.disk)
    const isUnwritten = isEmptyLayer(disk.top, bytes)
    if (yield* isNeedless(before, isUnwritten && last !== undefined && hasLayersOf(last, disk))) return Option.none()
    if (!isUnwritten) {
      const top = yield* makeWorkspaceDisk(directory, bytes)
      faultPoint("point:layer")
      if (vm !== undefined) yield* vm.freezeLayer(top).pipe(asStep("freeze"))
      faultPoint("point:frozen")
    }
    const made = recordOf(before, journal.steps, {
      layers: disk.layers.length + (isUnwritten ? 0 : 1),
      writtenBytes: isUnwritten ? 0 : bytesOnDisk(disk.top)
    })
    return Option.some(
      yield* makePoint(folder, made.id, (half) =>
        Effect.gen(function*() {
          yield* shareLayers(directory, half.disk, made.captured.layers)
          yield* copyPushed(folder.directory, half.directory)
          return made
        }))
    )
  })
