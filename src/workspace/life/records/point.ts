import { Effect, Option, Schema } from "effect"
import { randomBytes } from "node:crypto"
import * as path from "node:path"
import type { NoSpace, StateDirectoryUnusable } from "../../../contract/errors/errors.ts"
import { readJson, versionOf, writeJsonAtomic } from "../../../system/files/atomic-file.ts"
import { ensureFolder, listIfPresent, renameFile } from "../../../system/files/entries.ts"
import { toHostError } from "../../../system/files/failure.ts"
import { faultPoint } from "../../../system/waits/fault.ts"
import { removeFolder } from "../../entry/context.ts"
import { Span, unwritten, type WorkspaceFolder } from "../../entry/record.ts"
import { ResidentStates } from "../../entry/resident.ts"
import { Captured, type CaptureFolder, captureFolder } from "./snapshot.ts"

/**
 * A point: the disk of a workspace between two commands, which pyro keeps by itself, and the memory of its VM if the driver's points have that. Its
 * folder appears whole, by one rename, so that its record needs no phases.
 */
export const PointRecord = Schema.Struct({
  format: Schema.Literal(1),
  id: Schema.String,
  /** Its place in the order of the workspace's points. */
  number: Schema.Int,
  /** Number of commands in the journal that were started before. */
  commands: Schema.Int,
  /** Number of the next commands that left the disk as it is, and ended. */
  unchanged: Schema.optional(Schema.Int),
  /** Time of the last look that found the disk as it is, in ms since 1970. Absent: the time of the point. */
  seenMs: Schema.optional(Schema.Number),
  /** Ids of those of the commands before that ran. */
  running: Schema.Array(Schema.String),
  /** Those of the commands before that a rewind had undone. */
  undone: Schema.Array(Span),
  /** Bytes that were written to the disk since the point before. */
  writtenBytes: Schema.Number,
  /** Mark of the disk that was copied for it (`VmPoints.diskMark`). Absent: its layers are those of the disk. */
  diskMark: Schema.optional(Schema.String),
  /** Commands, shells or services ran in its memory. */
  hasPrograms: Schema.optional(Schema.Literal(true)),
  /** Boot of the host that its memory is of: the memory is not made durable. */
  hostBoot: Schema.optional(Schema.String),
  /** The services to start, for a return without its memory. */
  declared: Schema.optional(ResidentStates),
  /** The point that it is another name of, and the time of the return to it, in ms since 1970. */
  returned: Schema.optional(Schema.Struct({ to: Schema.String, atMs: Schema.Number })),
  captured: Captured
})
export type PointRecord = typeof PointRecord.Type

export interface Point {
  readonly folder: CaptureFolder
  readonly record: PointRecord
}

/** Time of the state that a point has, in ms since 1970. */
export const momentOf = ({ captured, returned }: PointRecord): number => returned?.atMs ?? captured.takenAtMs

/** Last time at which the workspace was known to be as the point has it, in ms since 1970. */
export const lastSeenOf = (record: PointRecord): number => Math.max(momentOf(record), record.seenMs ?? 0)

export const newPointId = () => `pt-${randomBytes(4).toString("hex")}`

/** Folder of a point. A point that is half made or half removed has a name with a leading dot. */
export const pointFolder = (folder: WorkspaceFolder, id: string) => captureFolder(path.join(folder.points, id))
export const halfMadePoint = (folder: WorkspaceFolder, id: string) => pointFolder(folder, `.${id}`)

/** The memory of a point that is made whole ahead of a return (`ahead.ts`). The next process removes it, with points that are half made. */
export const aheadFile = ({ points }: WorkspaceFolder) => path.join(points, ".ahead")

export const writePoint = (workspace: WorkspaceFolder, folder: CaptureFolder, record: PointRecord) =>
  Effect.mapError(writeJsonAtomic(folder.record, PointRecord, record), unwritten(workspace))

/** Makes a point in a folder that appears whole: `fill` makes its files, and gives its record. */
export const makePoint = <E, R>(
  workspace: WorkspaceFolder,
  id: string,
  fill: (half: CaptureFolder) => Effect.Effect<PointRecord, E, R>
) =>
  Effect.gen(function*() {
    const [half, whole] = [halfMadePoint(workspace, id), pointFolder(workspace, id)]
    yield* Effect.mapError(ensureFolder(workspace.points), unwritten(workspace))
    const record = yield* Effect.gen(function*() {
      const record = yield* fill(half)
      yield* writePoint(workspace, half, record)
      faultPoint("point:linked")
      yield* Effect.mapError(renameFile(half.directory, whole.directory), unwritten(workspace))
      return record
    }).pipe(Effect.onError(() => Effect.ignore(removeFolder(half.directory))))
    faultPoint("point:committed")
    return { folder: whole, record } satisfies Point
  })

/** A point's record as it was read, and the version of its file. */
interface Known {
  readonly version: string
  readonly record: Option.Option<PointRecord>
}

/** What was read of the points of each workspace, by id: a full ring takes ten ms to decode, and a rewind reads it twice. */
const known = new WeakMap<WorkspaceFolder, ReadonlyMap<string, Known>>()

/** The points of a workspace, oldest first. A point that cannot be read is left out. Its removal loses this point, and nothing else. */
export const readPoints = (
  workspace: WorkspaceFolder
): Effect.Effect<ReadonlyArray<Point>, NoSpace | StateDirectoryUnusable> =>
  Effect.gen(function*() {
    const names = yield* Effect.mapError(listIfPresent(workspace.points), toHostError)
    const before = known.get(workspace)
    const now = new Map<string, Known>()
    for (const id of names.filter((name) => !name.startsWith("."))) {
      const file = pointFolder(workspace, id).record
      // Asked before the read: a file that is replaced meanwhile is read again the next time.
      const version = versionOf(file)
      const last = before?.get(id)
      if (version === undefined) continue
      now.set(id, last?.version === version ? last : { version, record: yield* readPoint(file) })
    }
    known.set(workspace, now)
    return [...now].flatMap(([id, { record }]) =>
      Option.toArray(Option.map(record, (record): Point => ({ folder: pointFolder(workspace, id), record })))
    ).sort((a, b) => a.record.number - b.record.number)
  })

const readPoint = (file: string) => Effect.orElseSucceed(readJson(file, PointRecord), () => Option.none<PointRecord>())

/** After a crash: removes points that are half made or half removed. */
export const sweepPoints = (workspace: WorkspaceFolder) =>
  Effect.flatMap(Effect.mapError(listIfPresent(workspace.points), toHostError), (names) =>
    Effect.forEach(
      names.filter((name) => name.startsWith(".")),
      (name) => removeFolder(path.join(workspace.points, name)),
      { discard: true }
    ))
