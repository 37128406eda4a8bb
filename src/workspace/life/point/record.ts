import { Effect, Option, Schema } from "effect"
import { randomBytes } from "node:crypto"
import * as path from "node:path"
import type { NoSpace, StateDirectoryUnusable } from "../../../contract/errors/errors.ts"
import { readJson, writeJsonAtomic } from "../../../system/files/atomic-file.ts"
import { listIfPresent } from "../../../system/files/entries.ts"
import { toHostError } from "../../../system/files/failure.ts"
import { removeFolder } from "../../entry/context.ts"
import { Span, unwritten, type WorkspaceFolder } from "../../entry/record.ts"
import { Captured, type CaptureFolder, captureFolder } from "../snapshot/record.ts"

/**
 * A point: the disk of a workspace between two commands, which pyro keeps by itself. Its folder appears whole, by one rename, so that its
 * record needs no phases.
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
  /** Ids of those of the commands before that ran. */
  running: Schema.Array(Schema.String),
  /** Those of the commands before that a rewind had undone. */
  undone: Schema.Array(Span),
  /** Bytes that were written to the disk since the point before. */
  writtenBytes: Schema.Number,
  captured: Captured
})
export type PointRecord = typeof PointRecord.Type

export interface Point {
  readonly folder: CaptureFolder
  readonly record: PointRecord
}

export const newPointId = () => `pt-${randomBytes(4).toString("hex")}`

/** Folder of a point. A point that is half made or half removed has a name with a leading dot. */
export const pointFolder = (folder: WorkspaceFolder, id: string) => captureFolder(path.join(folder.points, id))
export const halfMadePoint = (folder: WorkspaceFolder, id: string) => pointFolder(folder, `.${id}`)

export const writePoint = (workspace: WorkspaceFolder, folder: CaptureFolder, record: PointRecord) =>
  Effect.mapError(writeJsonAtomic(folder.record, PointRecord, record), unwritten(workspace))

/** The points of a workspace, oldest first. One that cannot be read is none: its removal costs a way back, and nothing else. */
export const readPoints = (
  workspace: WorkspaceFolder
): Effect.Effect<ReadonlyArray<Point>, NoSpace | StateDirectoryUnusable> =>
  Effect.gen(function*() {
    const names = yield* Effect.mapError(listIfPresent(workspace.points), toHostError)
    const found = yield* Effect.forEach(names.filter((name) => !name.startsWith(".")), (name) => {
      const folder = pointFolder(workspace, name)
      return Effect.orElseSucceed(readJson(folder.record, PointRecord), () => Option.none<PointRecord>()).pipe(
        Effect.map(Option.map((record): Point => ({ folder, record })))
      )
    })
    return found.flatMap(Option.toArray).sort((a, b) => a.record.number - b.record.number)
  })

/** After a crash: removes points that are half made or half removed. */
export const sweepPoints = (workspace: WorkspaceFolder) =>
  Effect.flatMap(Effect.mapError(listIfPresent(workspace.points), toHostError), (names) =>
    Effect.forEach(
      names.filter((name) => name.startsWith(".")),
      (name) => removeFolder(path.join(workspace.points, name)),
      { discard: true }
    ))
