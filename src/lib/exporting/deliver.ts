import { type Cause, Effect, Queue, type Scope, Stream } from "effect"
import { type ChannelFailed, ExportRefused, FileRefused, type HostToolMissing } from "../../contract/errors/errors.ts"
import { words } from "../../contract/errors/next-step.ts"
import { notice } from "../../contract/rows/notice.ts"
import type { ErrorOf } from "../../contract/rows/operations.ts"
import type { ExportedEntry, ExportEvent, ExportSummary } from "../../contract/rows/workspace-export.ts"
import type { ExecutablePaths } from "../../contract/text/executable-config.ts"
import { type Losses, lossNotes, madeNote, withLoss } from "../../contract/text/host-file-notes.ts"
import { ContentHash } from "../../system/files/digest.ts"
import { bytesOf } from "../../system/files/folded-name.ts"
import { type Put, put, type PutFailed } from "../../system/files/put.ts"
import { forEachWhile } from "../../system/waits/for-each-while.ts"
import { type ArchiveFormat, archivePut, largestArchive } from "./archive.ts"
import type { Consent } from "./bounds.ts"
import { executableRefusal, remarksOf } from "./executable-config.ts"
import { failureOf, type HostOutput, outputIsDirectory, type Target } from "./host-output.ts"
import { linksTo } from "./links.ts"
import { shown } from "./names.ts"
import { manifestOf, progressOf, type Writing } from "./report.ts"
import { type Remarks, type TreeEntry } from "./tree.ts"

/** The file is no longer readable, so the export leaves it out. */
export interface Gone {
  readonly _tag: "Gone"
  readonly reason: string
}

/** A file's content. Its size may differ from the listed one. */
export interface EntryContent<E = SourceFailed> {
  readonly entry: TreeEntry
  /** Small files come whole: a stream for each one takes longer than everything else. */
  readonly content: Uint8Array | Stream.Stream<Uint8Array, E | Gone>
}

interface Delivery {
  readonly output: HostOutput
  readonly overwrite: boolean
  /** Files keep the times of their last modification. */
  readonly preserveTimes?: boolean | undefined
  readonly kind: ExportSummary["kind"]
  /** Format of the one file with all entries. @default none: each entry becomes a file */
  readonly archive?: ArchiveFormat | undefined
  readonly digest?: string | undefined
  /** Number of changes in a patch. Undefined for files. */
  readonly changedFiles?: number | undefined
  /** The root first, parents before children. */
  readonly entries: ReadonlyArray<TreeEntry>
  /** The content of each file, in the order of the entries. */
  readonly contents: Contents
  readonly skips: Remarks
  /** Number of excluded paths; undefined without a glob. */
  readonly excludedCount?: number | undefined
  readonly executable: ExecutablePaths
  readonly allowExecutable: boolean
  /** @default no question */
  readonly consent?: Consent | undefined
}

export type SourceFailed = FileRefused | ChannelFailed

/** The content of each file, in the order of the entries, from a guest or from another machine. */
export type Contents = Stream.Stream<EntryContent<DeliveryFailed>, DeliveryFailed>

/** What an export may fail with, of which an export on one machine has less. */
export type DeliveryFailed = ErrorOf<"workspace.export">

/** Maximum entries in one event: with the longest names, fewer bytes than the limit of a message. */
export const MAX_BATCH = 200

/** Writes all entries to the host or none, and reports the written ones. No failure leaves a partial file. */
export const deliver = (delivery: Delivery): Stream.Stream<ExportEvent, DeliveryFailed> =>
  emitting((emit: Emit) => work(delivery, emit))

/** The events of some work, which ends with the stream's Scope. */
export const emitting = <A, E, R>(
  work: (emit: (event: A) => Effect.Effect<unknown>) => Effect.Effect<void, E, R>
): Stream.Stream<A, E, Exclude<R, Scope.Scope>> =>
  Stream.unwrap(Effect.gen(function*() {
    // The queue is short, so that a slow reader of the standard output slows down the guest.
    const events = yield* Queue.bounded<A, E | Cause.Done>(8)
    yield* work((event) => Queue.offer(events, event)).pipe(
      Effect.scoped,
      Queue.into(events),
      Effect.forkScoped
    )
    return Stream.fromQueue(events)
  }))

export type Emit = (event: ExportEvent) => Effect.Effect<unknown>

const work = (delivery: Delivery, emit: Emit) =>
  Effect.gen(function*() {
    const { entries, executable, output } = delivery
    if (executable.size > 0 && !delivery.allowExecutable) return yield* executableRefusal(executable)
    if (output._tag === "path" && output.asDirectory && delivery.kind !== "directory") {
      return yield* outputIsDirectory("the output ends with /, as a directory does", output.path)
    }
    const session = yield* sessionOf(delivery, emit)
    const files = entries.filter(({ type }) => type === "file")
    const progress = yield* progressOf(
      { bytes: files.reduce((sum, { size }) => sum + size, 0), files: files.length },
      emit
    )
    const writing: Writing = { digests: new Map(), gone: new Set(), changed: [] }
    yield* Stream.runForEach(delivery.contents, ({ content, entry }) =>
      writeFile(session, entry, content, writing, progress.bytes).pipe(
        Effect.catchTag("Gone", ({ reason }) =>
          Effect.suspend((): Effect.Effect<void, PutFailed | FileRefused> => {
            if (entry.path === "") {
              return new FileRefused({ path: "", reason: "not_found", detail: reason })
            }
            writing.gone.add(entry.path)
            delivery.skips.add(entry.path, reason)
            return session.omitFile
          })),
        Effect.andThen(progress.file)
      ))
    // With --overwrite, the host may have a link in place of the missing file.
    const dangling = linksTo(entries, writing.gone)
    if (delivery.overwrite && dangling.length > 0) {
      return yield* new ExportRefused({
        detail: "a file went away while being exported, and links point to the file",
        next: [words("Export again")],
        paths: dangling.slice(0, 10).map(shown)
      })
    }
    // The staged content is complete and final, so that the user's answer is about these bytes.
    if (delivery.consent !== undefined && output._tag === "path") {
      yield* delivery.consent(
        {
          kind: delivery.kind,
          output: output.path,
          files: files.length - writing.gone.size,
          ...(delivery.changedFiles === undefined ? {} : { changedFiles: delivery.changedFiles }),
          bytes: [...writing.digests.values()].reduce((sum, { size }) =>
            sum + size, 0),
          ...(delivery.digest === undefined ? {} : { digest: delivery.digest }),
          ...(delivery.overwrite ? { overwrite: true } : {})
        },
        emit
      )
    }
    const done = yield* session.commit
    if (done.made !== undefined) {
      yield* emit(notice("hint", madeNote(done.made)))
    }
    const manifest = manifestOf(entries, writing, done, executable)
    for (let at = 0; at < manifest.length; at += MAX_BATCH) {
      yield* emit({ _tag: "Written", entries: manifest.slice(at, at + MAX_BATCH) })
    }
    yield* emit({ _tag: "Exported", summary: summaryOf(delivery, writing, manifest) })
  }).pipe(Effect.catchTag("PutFailed", (failure) =>
    Effect.fail(failureOf(targetOf(delivery), failure))))

/** What an export has written, for its caller. */
const summaryOf = (
  { changedFiles, digest, entries, excludedCount, executable, kind, output, skips }: Delivery,
  { changed, gone }: Writing,
  manifest: ReadonlyArray<ExportedEntry>
): ExportSummary => {
  const count = (type: TreeEntry["type"]) => manifest.filter((entry) => entry.type === type).length
  return {
    output: output._tag === "stdout" ? "-" : output.path,
    kind,
    files: count("file"),
    ...(changedFiles === undefined ? {} : { changedFiles }),
    directories: count("directory"),
    symlinks: count("symlink"),
    bytes: manifest.reduce((sum, { size }) => sum + size, 0),
    ...(digest === undefined ? {} : { digest }),
    ...(excludedCount === undefined ? {} : { excludedCount }),
    skippedCount: skips.count,
    skipped: skips.listed,
    executableConfig: remarksOf(executable),
    warnings: [...warningsOf(changed), ...lossNotes(lossesOf(entries, gone))].map((message) => ({ message }))
  }
}

/** Writes the listed size of a file. A file that changes meanwhile may have more or less content. */
const writeFile = (
  session: Put,
  entry: TreeEntry,
  content: EntryContent<DeliveryFailed>["content"],
  writing: Writing,
  progress: (bytes: number) => Effect.Effect<unknown>
) =>
  Effect.gen(function*() {
    let left = entry.size
    let more = false
    const write = (bytes: Uint8Array) => {
      const part = bytes.subarray(0, left)
      left -= part.length
      more = part.length < bytes.length
      return session.write(part).pipe(Effect.andThen(progress(part.length)), Effect.as(!more))
    }
    yield* content instanceof Uint8Array ? write(content) : forEachWhile(content, write)
    if (more || left > 0) writing.changed.push(entry.path)
    writing.digests.set(entry.path, yield* session.endFile)
  })

const sessionOf = (delivery: Delivery, emit: Emit) =>
  Effect.gen(function*() {
    const { archive, output } = delivery
    const entries = delivery.preserveTimes === true
      ? delivery.entries
      : delivery.entries.map((entry) => ({ ...entry, mtimeNs: undefined }))
    const written = archive === undefined
      ? entries
      : [{ path: "", type: "file", mode: 0o644, size: largestArchive(entries, archive) } as const]
    const session = yield* output._tag === "stdout" ? passOn(emit) : placed(written, delivery.overwrite, output)
    return archive === undefined ? session : yield* archivePut(session, entries, archive)
  })

const placed = (
  entries: ReadonlyArray<TreeEntry>,
  overwrite: boolean,
  output: Extract<HostOutput, { readonly _tag: "path" }>
): Effect.Effect<Put, PutFailed | HostToolMissing, Scope.Scope> =>
  put({
    parent: output.parent,
    name: output.name,
    within: output.within,
    overwrite,
    entries: entries.map(({ mode, mtimeNs, path, size, target, type }) => ({
      path: bytesOf(path),
      type,
      mode,
      size,
      mtimeNs,
      ...(target === undefined ? {} : { target: bytesOf(target) })
    }))
  })

/** Sends the content to the caller instead of a file. */
const passOn = (emit: Emit): Effect.Effect<Put> =>
  Effect.sync(() => {
    const hash = new ContentHash()
    return {
      write: (bytes) =>
        bytes.length === 0
          ? Effect.void
          : Effect.suspend(() => (hash.add(bytes), Effect.asVoid(emit({ _tag: "Output", bytes })))),
      endFile: Effect.sync(() => hash.take()),
      omitFile: Effect.void,
      commit: Effect.succeed({ replaced: [], there: [] })
    }
  })

const lossesOf = (entries: ReadonlyArray<TreeEntry>, gone: ReadonlySet<string>): Losses => {
  let losses: Losses = {}
  for (const { loses = [], path } of entries) {
    if (gone.has(path)) continue
    for (const property of loses) losses = withLoss(losses, property, path === "" ? "the output" : shown(path))
  }
  return losses
}

const warningsOf = (changed: ReadonlyArray<string>) =>
  changed.length === 0
    ? []
    : [
      `${changed.length === 1 ? "a file" : `${changed.length} files`} changed while being exported: ` +
      changed.slice(0, 10).map((path) => path === "" ? "the output" : shown(path)).join(", ")
    ]

const targetOf = ({ entries, kind, output }: Delivery): Target => ({
  path: output._tag === "stdout" ? "-" : output.path,
  isDirectory: kind === "directory",
  bytes: entries.reduce((sum, { size }) => sum + size, 0)
})
