import { Effect } from "effect"
import * as path from "node:path"
import { changesOf, formatOf } from "../../../lib/disk/layer-format.ts"
import { copyNewestStore, linkSeed, type WorkspaceDisk } from "../../../lib/disk/workspace-disk.ts"
import { copyPushed } from "../../../lib/seeding/model/pushed.ts"
import { exists } from "../../../system/files/entries.ts"
import { bytesOnDisk } from "../../../system/files/usage.ts"
import { faultPoint } from "../../../system/waits/fault.ts"
import { makePoint, type Point } from "../records/point.ts"
import type { CaptureFolder } from "../records/snapshot.ts"
import { type Before, recordOf } from "./before.ts"

/** The one layer of a point that has a copy of its disk. */
export const copyIn = ({ disk }: CaptureFolder, { top }: WorkspaceDisk) => path.join(disk, `0.${formatOf(top)}`)

const bytesOf = (copy: string) => bytesOnDisk(copy) + (exists(changesOf(copy)) ? bytesOnDisk(changesOf(copy)) : 0)

/** Bytes that a copy of a disk has more than the copy before. */
export const grownBy = (copy: string, last: Point | undefined, disk: WorkspaceDisk) =>
  Math.max(0, bytesOf(copy) - (last === undefined ? 0 : bytesOf(copyIn(last.folder, disk))))

/** Makes a point of a disk that no VM writes, or that a silent VM does: a copy of the disk, without memory. */
export const copyPoint = <E, R>(
  before: Before,
  disk: WorkspaceDisk,
  copy: (to: string) => Effect.Effect<unknown, E, R>
) =>
  Effect.gen(function*() {
    const { entry: { folder }, journal, last } = before
    const made = recordOf(before, journal.steps, { layers: 1, writtenBytes: 0 })
    return yield* makePoint(folder, made.id, (half) =>
      Effect.gen(function*() {
        yield* linkSeed(half.disk, disk.seed.path)
        const to = copyIn(half, disk)
        yield* copy(to)
        faultPoint("point:copied")
        yield* copyPushed(folder.directory, half.directory)
        return { ...made, writtenBytes: grownBy(to, last, disk) }
      }))
  })

/** `copyPoint` of a stopped workspace's store. */
export const storePoint = (before: Before, disk: WorkspaceDisk) =>
  copyPoint(before, disk, (to) => copyNewestStore(disk, to))
