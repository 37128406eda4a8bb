import { Effect, Schema } from "effect"
import * as path from "node:path"
import { option } from "../../../contract/errors/next-step.ts"
import type { SavedImportPayload } from "../../../contract/rows/saved-archive.ts"
import { WorkspaceName } from "../../../contract/rows/workspace-field.ts"
import { printable } from "../../../contract/text/printable.ts"
import { callerProject } from "../../../contract/wire/caller-project.ts"
import { openVerifiedQcow2 } from "../../../lib/disk/qcow2.ts"
import { SeedImages } from "../../../lib/disk/SeedImages.ts"
import { demandReadable } from "../../../system/files/caller-places.ts"
import { keepReadOnly, openFile, openUnfollowed, setSize } from "../../../system/files/content.ts"
import { ensureFolder } from "../../../system/files/entries.ts"
import { toHostErrorOf } from "../../../system/files/failure.ts"
import { realPath } from "../../../system/files/host-path.ts"
import { isRegular, readInOrder, writeAt } from "../../../system/files/pieces.ts"
import { faultPoint } from "../../../system/waits/fault.ts"
import { nowIso } from "../../../system/waits/time.ts"
import { discardFolder, type Lifecycle, type Notify, progress } from "../../entry/context.ts"
import { virtualBytesOf } from "../../entry/record.ts"
import { linkBase } from "../../life/guest/base.ts"
import { type Saved, type SavedFolder, savedInfo, writeSaved } from "../../life/records/saved.ts"
import { demandLoadable } from "../../life/snapshot/restore.ts"
import { imagesFor } from "../../life/verbs/create.ts"
import { demandFreeName, giveName, keepForGood, namelessFolder } from "../../life/verbs/keep-saved.ts"
import { demandRoom } from "../../residents/program/command-defaults.ts"
import { ArchiveReader, WrongArchive } from "./archive.ts"
import { readManifest, recordOf, wrong } from "./imported.ts"
import { diskNames, isMemoryFile, type Manifest } from "./manifest.ts"

/** Opens the file: an ordinary one, which the caller may read. */
const openSource = (asked: string) =>
  Effect.gen(function*() {
    const source = realPath(asked)
    if (source === undefined) return yield* wrong(`${asked} is not there, or cannot be reached`)
    yield* demandReadable("source_path", source)
    const opened = Effect.gen(function*() {
      const fd = yield* openUnfollowed(source)
      return { fd, isFile: yield* isRegular(fd, source) }
    })
    const { fd, isFile } = yield* Effect.mapError(opened, ({ detail }) => wrong(`it cannot be opened: ${detail}`))
    if (!isFile) return yield* wrong(`${asked} is no ordinary file`)
    return new ArchiveReader(readInOrder(fd))
  })

type Source = Effect.Success<ReturnType<typeof openSource>>

/** A step of reading, which ends before an interruption closes the file. A wrong file and an unreadable one are the request's fault. */
const reading = <A>(work: () => Promise<A>) =>
  Effect.uninterruptible(Effect.tryPromise({
    try: work,
    catch: (cause) =>
      wrong(
        cause instanceof WrongArchive
          ? `it is no whole saved snapshot: ${cause.message}`
          : `it cannot be read: ${(cause as Error).message}`
      )
  }))

/** Reads one file of the archive, and writes it to `to` if that is given. */
const takeFile = (source: Source, size: number, to: string | undefined) =>
  Effect.gen(function*() {
    const target = to === undefined ? undefined : { path: to, fd: yield* openFile(to, "wx") }
    for (let from = 0;;) {
      const piece = yield* reading(() => source.piece(from, size))
      if (piece === undefined) break
      from = piece.offset + piece.length
      // Zeros are written too: in a part of a memory they replace earlier data, and a hole does not.
      if (target !== undefined) yield* writeAt(target.fd, target.path, piece.bytes, piece.offset)
    }
    if (target === undefined) return
    yield* setSize(target.fd, target.path, size)
    // Each microVM may read it, as its own user: the folders above are for their owner.
    yield* keepReadOnly(target.fd, target.path)
  }).pipe(Effect.scoped)

/** The images of this host, which must have exactly the environment that the files change. */
const imagesOf = ({ environment }: Manifest, notify: Notify) =>
  Effect.gen(function*() {
    const images = yield* imagesFor(environment.name, notify)
    const { digest } = images.environment
    return digest === environment.digest ? images : yield* wrong(
      `it needs the environment ${environment.name} of digest ${environment.digest}, and this host's has ${digest}. ` +
        "Use the pyro of the other host, and build the environment as it is there"
    )
  })

/** Fails if a layer could name another file of the host: pyro's own headers name none. */
const demandOwnHeaders = (folder: SavedFolder, manifest: Manifest) =>
  Effect.forEach(
    diskNames(manifest).filter((name) => name.endsWith(".qcow2")),
    (name) =>
      openVerifiedQcow2(path.join(folder.directory, name), {
        virtualBytes: virtualBytesOf(manifest),
        mayBeSmaller: true
      }),
    { discard: true }
  ).pipe(Effect.scoped, Effect.mapError(({ detail }) => wrong(`a layer of its disk is damaged: ${detail}`)))

/** All files of the archive, and its digest. */
const takeFiles = (source: Source, folder: SavedFolder, manifest: Manifest, diskOnly: boolean, notify: Notify) =>
  Effect.gen(function*() {
    const total = manifest.files.length
    for (const [at, { name, size }] of manifest.files.entries()) {
      yield* progress(notify, "reading the saved snapshot", 0.3 + 0.6 * at / total)
      const to = diskOnly && isMemoryFile(name) ? undefined : path.join(folder.directory, name)
      yield* takeFile(source, size, to)
    }
    return yield* reading(() => source.end())
  }).pipe(Effect.catchTag("FileFailed", (failure) => Effect.fail(toHostErrorOf(folder.directory)(failure))))

/**
 * Imports a saved snapshot of another host, or of this one under another name. Each value of the file is checked before its use, and a failure leaves
 * nothing. The snapshot gets its name last.
 */
export const importSaved = (lifecycle: Lifecycle, payload: SavedImportPayload, notify: Notify) =>
  Effect.gen(function*() {
    const source = yield* openSource(payload.sourcePath)
    const manifest = yield* Effect.flatMap(reading(() => source.manifest()), readManifest)
    const { name = manifest.name } = payload
    if (!Schema.is(WorkspaceName())(name)) {
      return yield* wrong(`its name "${name}" is no name here`, [option("Give it another", "name")])
    }
    yield* demandFreeName(name)
    yield* demandRoom(manifest.env)
    const images = yield* imagesOf(manifest, notify)
    const folder = yield* namelessFolder
    const diskOnly = payload.diskOnly === true
    const record = recordOf(manifest, {
      name,
      images,
      diskOnly,
      id: path.basename(folder.directory).slice(1),
      createdAt: yield* nowIso,
      project: (yield* callerProject)?.project
    })
    yield* demandLoadable(
      { record },
      images,
      yield* Effect.flatMap(SeedImages, (seeds) => seeds.empty(manifest.diskMib))
    )
    yield* Effect.addFinalizer(() => discardFolder(folder.directory))
    const { captured: _, ...announced } = record
    for (const one of [folder.directory, folder.disk, folder.logs]) {
      yield* Effect.mapError(ensureFolder(one), toHostErrorOf(folder.directory))
    }
    yield* writeSaved(folder, announced)
    faultPoint("import:announced")
    const sha256 = yield* takeFiles(source, folder, manifest, diskOnly, notify)
    if (payload.expect !== undefined && payload.expect !== sha256) {
      return yield* wrong(`its SHA-256 is ${sha256}, and the request expects ${printable(payload.expect)}`)
    }
    yield* demandOwnHeaders(folder, manifest)
    const named = Effect.gen(function*() {
      yield* linkBase(folder.base, images)
      yield* writeSaved(folder, record)
      faultPoint("import:taken")
      const made: Saved = yield* giveName(lifecycle, { folder, record })
      faultPoint("import:committed")
      yield* keepForGood(lifecycle, made)
      return savedInfo(made)
    })
    return yield* Effect.uninterruptible(named)
  }).pipe(Effect.scoped)
