import { Effect } from "effect"
import type { DiskExportPayload } from "../../contract/rows/workspace-disk.ts"
import { madeNote } from "../../contract/text/host-file-notes.ts"
import { formatOf } from "../../lib/disk/layer-format.ts"
import { clusterRuns } from "../../lib/disk/standalone-qcow2.ts"
import { readWorkspaceDisk, type WorkspaceDisk } from "../../lib/disk/workspace-disk.ts"
import { type Output, outputOf, putImage, refused } from "../../lib/exporting/one-file.ts"
import { progressOf } from "../../lib/exporting/report.ts"
import { openUnfollowed } from "../../system/files/content.ts"
import { toHostError } from "../../system/files/failure.ts"
import { acquireLifecycleLock, endUnattached, type Lifecycle, type Notify, unlessDeleted } from "../entry/context.ts"
import type { Entry } from "../entry/entry.ts"
import { beingDeleted, demandLegal } from "../entry/not-ready.ts"
import { virtualBytesOf } from "../entry/record.ts"
import { demandNoSecrets } from "../residents/secret/whole-content.ts"
import { withoutFree } from "./free-space.ts"
import { guestContent } from "./guest-content.ts"
import { DiskBytes, type DiskContent, type DiskImage, imageBytes, writeImage } from "./image.ts"
import { type Extent, filesOf, mapDisk } from "./map.ts"
import { inScrubber, type ScrubbedDisk, scrubbedDisk } from "./scrub.ts"

const operation = "workspace.disk.export"

/** A disk's bytes, and the ranges that have data. */
interface Source {
  readonly virtualBytes: number
  readonly ranges: Iterable<Pick<Extent, "length" | "start">>
  readonly content: DiskContent
}

/** Writes the image into its place, or nothing. */
const deliverImage = (
  output: Output,
  { content, ranges, virtualBytes }: Source,
  payload: DiskExportPayload,
  notify: Notify
) =>
  Effect.gen(function*() {
    const image: DiskImage = { format: payload.format, virtualBytes, runs: clusterRuns(ranges) }
    const bytes = imageBytes(image)
    return yield* Effect.gen(function*() {
      const file = yield* putImage(output, payload, bytes)
      const progress = yield* progressOf({ bytes, files: 1 }, (notice) => Effect.sync(() => notify(notice)))
      const writtenBytes = yield* writeImage(image, { content, file, progress: progress.bytes })
      yield* file.endFile
      const { made, replaced } = yield* file.commit
      if (made !== undefined) notify({ _tag: "Notice", level: "hint", message: madeNote(made) })
      return { output: output.path, format: payload.format, virtualBytes, writtenBytes, replaced: replaced.length > 0 }
    }).pipe(
      Effect.catchTags({
        PutFailed: refused(output, bytes),
        FileFailed: (failure) => Effect.fail(toHostError(failure))
      })
    )
  })

/** The image of a disk whose layers a program of the host reads. */
const deliverLayers = (output: Output, disk: ScrubbedDisk, payload: DiskExportPayload, notify: Notify) =>
  Effect.gen(function*() {
    const mapped = yield* mapDisk(disk)
    const extents = () => withoutFree(mapped, disk.free)
    const files = yield* Effect.forEach(
      filesOf(disk),
      (path) => Effect.map(openUnfollowed(path), (fd) => ({ path, fd }))
    ).pipe(Effect.mapError(toHostError))
    const { virtualBytes } = disk.seed
    const content = new DiskBytes(files, extents())
    return yield* deliverImage(output, { virtualBytes, ranges: extents(), content }, payload, notify)
  })

/** The image of a disk that its guest alone can read. */
const deliverThroughGuest = (
  entry: Entry,
  disk: WorkspaceDisk,
  output: Output,
  payload: DiskExportPayload,
  notify: Notify
) =>
  Effect.map(
    inScrubber(entry, disk, (guest, free) => {
      const { virtualBytes } = disk.seed
      const whole = { start: 0, length: virtualBytes, depth: 0, offset: 0 }
      const ranges = [...withoutFree([whole], free)]
      const content = guestContent(guest, ranges, virtualBytes)
      return Effect.scoped(deliverImage(output, { virtualBytes, ranges, content }, payload, notify))
    }),
    ({ result }) => result
  )

const work = (
  lifecycle: Lifecycle,
  entry: Entry,
  payload: DiskExportPayload,
  notify: Notify
) =>
  Effect.gen(function*() {
    const output = yield* outputOf(payload.output)
    // Checks whether the file can be made, before the inspector takes seconds.
    yield* Effect.scoped(putImage(output, payload, 0)).pipe(Effect.catchTag("PutFailed", refused(output, 0)))
    yield* demandLegal(entry, operation)
    yield* acquireLifecycleLock(lifecycle, entry)
    // The workspace may have started before this lock was taken.
    yield* demandLegal(entry, operation)
    yield* endUnattached(entry)
    const record = yield* entry.record.now
    const disk = yield* readWorkspaceDisk(entry.folder.disk(record.disk), virtualBytesOf(record))
    const exported = formatOf(disk.top) === "store"
      ? yield* deliverThroughGuest(entry, disk, output, payload, notify)
      : yield* deliverLayers(output, yield* scrubbedDisk(entry, disk), payload, notify)
    return { _tag: "Exported" as const, ...exported }
  })

/** Fails when a deletion of the workspace begins. */
const untilDeletion = (entry: Entry) => Effect.andThen(entry.deletion.begun, beingDeleted(entry))

/**
 * Exports the disk of a workspace at rest as one file of the host, whole or not at all. The workspace's start waits; its deletion ends
 * the export. The disk does not change.
 */
export const exportDisk = (
  lifecycle: Lifecycle,
  entry: Entry,
  payload: DiskExportPayload,
  notify: Notify
) =>
  Effect.gen(function*() {
    // The disk may have a file in pieces, so a search of the image could miss a value.
    yield* demandNoSecrets(entry.folder.directory, "disk", payload)
    return yield* work(lifecycle, entry, payload, notify).pipe(
      Effect.scoped,
      Effect.raceFirst(untilDeletion(entry)),
      unlessDeleted(lifecycle, entry)
    )
  })
