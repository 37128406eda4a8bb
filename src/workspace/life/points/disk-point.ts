import { Effect, Option } from "effect"
import * as path from "node:path"
import { changesOf, formatOf, isEmptyLayer } from "../../../lib/disk/layer-format.ts"
import {
  copyNewestStore,
  linkSeed,
  makeWorkspaceDisk,
  shareLayers,
  type WorkspaceDisk
} from "../../../lib/disk/workspace-disk.ts"
import { copyPushed } from "../../../lib/seeding/model/pushed.ts"
import type { Vm } from "../../../lib/vm/model/Vm.ts"
import { exists } from "../../../system/files/entries.ts"
import { isSameFile } from "../../../system/files/host-path.ts"
import { bytesOnDisk } from "../../../system/files/usage.ts"
import { asStep } from "../../../system/telemetry/spans.ts"
import { faultPoint } from "../../../system/waits/fault.ts"
import type { Entry } from "../../entry/entry.ts"
import { virtualBytesOf, type WorkspaceRecord } from "../../entry/record.ts"
import type { CommandJournal, JournaledCommand } from "../../residents/exec/journal.ts"
import type { Services } from "../../residents/service/services.ts"
import { makePoint, newPointId, type Point, type PointRecord, writePoint } from "../records/point.ts"
import type { Captured, CaptureFolder } from "../records/snapshot.ts"
import { isBehind } from "./lineage.ts"

/** The workspace right before a point. */
export interface Before {
  readonly entry: Entry
  readonly record: WorkspaceRecord
  readonly last: Point | undefined
  readonly journal: CommandJournal
  readonly services: Services
  /** Time until which the point has all writes, in ms since 1970: that before the flush of a disk. */
  readonly momentMs: number
  /** Number of commands that had started when the point was begun. */
  readonly startedBefore: number
  /** Number of commands after the last point that have ended, up to the first one that runs. */
  readonly endedAfterLast: number
  /** The point is made in any case. */
  readonly always: boolean
  /** No point is made. */
  readonly onlyLook: boolean
  /** No use has ended since the last look. Programs may have written. */
  readonly isUnused: boolean
}

/** Whether no point is to be made: nothing changed since the last one, whose record then counts the commands since, or a command has started. */
export const isNeedless = (
  {
    always,
    endedAfterLast,
    entry: { folder },
    isUnused,
    journal,
    last,
    momentMs,
    onlyLook,
    record: { undone = [] },
    startedBefore
  }: Before,
  hasSameDisk: boolean
) =>
  Effect.gen(function*() {
    const isSame = hasSameDisk && last !== undefined && isBehind(last.record, undone)
    const unchanged = isSame ? last.record.unchanged ?? 0 : 0
    if (isSame && (isUnused || endedAfterLast > unchanged)) {
      const seen = { unchanged: Math.max(endedAfterLast, unchanged), seenMs: momentMs }
      yield* writePoint(folder, last.folder, { ...last.record, ...seen })
    }
    return !always && (isSame || onlyLook || journal.steps.length !== startedBefore)
  })

/** The record of a point of the disk after these commands. `takenAtMs`: the moment of a point with memory. */
export const recordOf = (
  { last, momentMs, record: { undone = [] }, services }: Before,
  commands: ReadonlyArray<JournaledCommand>,
  { id = newPointId(), layers, takenAtMs = momentMs, writtenBytes }:
    & Pick<Captured, "layers">
    & Pick<PointRecord, "writtenBytes">
    & Partial<Pick<PointRecord, "id"> & Pick<Captured, "takenAtMs">>
): PointRecord => ({
  format: 1,
  id,
  number: (last?.record.number ?? 0) + 1,
  commands: commands.length,
  running: commands.filter(({ end }) => end === undefined).map(({ start }) => start.id),
  undone,
  writtenBytes,
  captured: { takenAtMs, layers, residents: services.declared() }
})

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
