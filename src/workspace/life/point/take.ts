import { Effect, Option, Ref } from "effect"
import * as path from "node:path"
import type { PyroError } from "../../../contract/errors/errors.ts"
import { isEmptyLayer } from "../../../disk/layer-format.ts"
import { makeWorkspaceDisk, readWorkspaceDisk, shareLayers, type WorkspaceDisk } from "../../../disk/workspace-disk.ts"
import { copyPushed } from "../../../seeding/pushed.ts"
import { ensureFolder, renameFile } from "../../../system/files/entries.ts"
import { isSameFile } from "../../../system/files/host-path.ts"
import type { Paths } from "../../../system/files/Paths.ts"
import { bytesOnDisk } from "../../../system/files/usage.ts"
import { asStep } from "../../../system/telemetry/spans.ts"
import { faultPoint } from "../../../system/waits/fault.ts"
import { nowMs } from "../../../system/waits/time.ts"
import type { Vmm } from "../../../vm/Vmm.ts"
import { endUnattached, removeFolder } from "../../entry/context.ts"
import type { Entry } from "../../entry/entry.ts"
import { lookAgain } from "../../entry/point-marks.ts"
import { unwritten, virtualBytesOf } from "../../entry/record.ts"
import { residentsOf } from "../../residents/entry-residents.ts"
import type { JournaledCommand } from "../../residents/exec/journal.ts"
import type { Captured } from "../snapshot/record.ts"
import { flush } from "../start-stop.ts"
import { isBehind } from "./lineage.ts"
import {
  halfMadePoint,
  newPointId,
  type Point,
  pointFolder,
  type PointRecord,
  readPoints,
  writePoint
} from "./record.ts"
import { evict } from "./ring.ts"

/** Longest wait for the guest to write its memory to the disk: a point that takes longer is none. */
const FLUSH_LIMIT = "10 seconds"

/** How a point is made. */
interface Taking {
  /** A point is made even if nothing was written since the last one, or a command has started meanwhile. */
  readonly always?: boolean
  /** @default `FLUSH_LIMIT` */
  readonly flushLimit?: Parameters<typeof Effect.timeoutOption>[1]
  /** Points that the ring keeps in any case. */
  readonly kept?: ReadonlyArray<string>
}

/** Whether a point has all frozen layers of a disk, and no others: nothing was frozen since. */
const hasLayersOf = ({ folder, record: { captured } }: Point, { layers }: WorkspaceDisk) => {
  const newest = layers.at(-1)
  return captured.layers === layers.length &&
    (newest === undefined || isSameFile(newest, path.join(folder.disk, path.basename(newest))))
}

/** Number of the commands from a place on that have ended, up to the first one that runs. */
const endedFrom = (execs: ReadonlyArray<JournaledCommand>, place: number) => {
  const running = execs.findIndex(({ end }, at) => at >= place && end === undefined)
  return (running === -1 ? execs.length : running) - place
}

/**
 * Makes a point of the disk as it is now, while the guest runs on, and gives the point. Gives none if nothing was written since the last one, and if
 * a command starts meanwhile, since the point would be of the middle of that command. The caller has the workspace alone.
 */
export const takePoint = (
  entry: Entry,
  { always = false, flushLimit = FLUSH_LIMIT, kept = [] }: Taking = {}
): Effect.Effect<Option.Option<Point>, PyroError, Paths | Vmm> =>
  Effect.gen(function*() {
    const { folder } = entry
    const { commands: { journal }, services } = yield* residentsOf(entry, "workspace.rewind")
    const record = yield* Ref.get(entry.record)
    const { undone = [] } = record
    const generation = yield* Ref.get(entry.generation)
    const startedBefore = journal.execs.length
    const points = yield* readPoints(folder)
    const last = points.at(-1)
    const endedAfterLast = last === undefined ? 0 : endedFrom(journal.execs, last.record.commands)
    if (Option.isSome(generation)) {
      const flushed = Effect.timeoutOption(flush(generation.value.channel), flushLimit)
      // A guest that does not answer can still be brought back.
      const isFlushed = yield* always ? Effect.orElseSucceed(flushed, () => Option.none()) : flushed
      if (Option.isNone(isFlushed) && !always) {
        lookAgain(entry)
        return Option.none()
      }
    } else yield* endUnattached(entry)
    const bytes = virtualBytesOf(record)
    const directory = folder.disk(record.disk)
    const disk = yield* readWorkspaceDisk(directory, bytes)
    const isUnwritten = isEmptyLayer(disk.top, bytes)
    const isSame = isUnwritten && last !== undefined && hasLayersOf(last, disk) && isBehind(last.record, undone)
    if (isSame && endedAfterLast > (last.record.unchanged ?? 0)) {
      yield* writePoint(folder, last.folder, { ...last.record, unchanged: endedAfterLast })
    }
    if (!always && (isSame || journal.execs.length !== startedBefore)) return Option.none()
    if (!isUnwritten) {
      const top = yield* makeWorkspaceDisk(directory, bytes)
      faultPoint("point:layer")
      if (Option.isSome(generation)) yield* generation.value.guest.vm.freezeLayer(top).pipe(asStep("freeze"))
      faultPoint("point:frozen")
    }
    const layers = disk.layers.length + (isUnwritten ? 0 : 1)
    const all = journal.execs
    const captured: Captured = { takenAtMs: yield* nowMs, layers, residents: services.declared() }
    const made: PointRecord = {
      format: 1,
      id: newPointId(),
      number: (last?.record.number ?? 0) + 1,
      commands: all.length,
      running: all.filter(({ end }) => end === undefined).map(({ start }) => start.id),
      undone,
      writtenBytes: isUnwritten ? 0 : bytesOnDisk(disk.top),
      captured
    }
    const point = yield* keepPoint(entry, made, directory, folder.directory)
    yield* evict(folder, record, [...points, point], [...kept, made.id])
    return Option.some(point)
  }).pipe(asStep("point"), Effect.uninterruptible)

/** Links the layers of a disk and the pushed files of a folder into the folder of a point, which appears whole. */
export const keepPoint = (entry: Entry, record: PointRecord, disk: string, pushed: string) =>
  Effect.gen(function*() {
    const { folder } = entry
    const [half, whole] = [halfMadePoint(folder, record.id), pointFolder(folder, record.id)]
    yield* Effect.mapError(ensureFolder(half.directory), unwritten(folder))
    yield* Effect.gen(function*() {
      yield* shareLayers(disk, half.disk, record.captured.layers)
      yield* copyPushed(pushed, half.directory)
      yield* writePoint(folder, half, record)
      faultPoint("point:linked")
      yield* Effect.mapError(renameFile(half.directory, whole.directory), unwritten(folder))
    }).pipe(Effect.onError(() => Effect.ignore(removeFolder(half.directory))))
    faultPoint("point:committed")
    return { folder: whole, record } satisfies Point
  })
