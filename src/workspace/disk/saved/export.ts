import { Effect, Schema } from "effect"
import { createHash } from "node:crypto"
import { ExportRefused } from "../../../contract/errors/errors.ts"
import { option } from "../../../contract/errors/next-step.ts"
import type { SavedExportEvent, SavedExportPayload } from "../../../contract/rows/saved-archive.ts"
import { madeNote } from "../../../contract/text/host-file-notes.ts"
import { outputOf, putImage, refused } from "../../../lib/exporting/one-file.ts"
import { progressOf } from "../../../lib/exporting/report.ts"
import { diffsOf } from "../../../lib/vm/model/memory-image.ts"
import { fillFrom, openUnfollowed } from "../../../system/files/content.ts"
import { toHostError } from "../../../system/files/failure.ts"
import { linkTree } from "../../../system/files/link-tree.ts"
import type { SparsePut } from "../../../system/files/put.ts"
import { dataOf, type Extent } from "../../../system/files/sparse-digest.ts"
import { fileBytes } from "../../../system/processes/host.ts"
import { discardFolder, type Lifecycle, type Notify } from "../../entry/context.ts"
import { decodeState } from "../../entry/resident.ts"
import { findSaved, type Saved, type SavedFolder, savedInfo } from "../../life/records/saved.ts"
import { namelessFolder } from "../../life/verbs/keep-saved.ts"
import { execKind } from "../../residents/exec/resident.ts"
import { archiveHead, bytesOfExtent, DIGEST_BYTES, PIECE_HEAD_BYTES, pieceHead, piecesOf } from "./archive.ts"
import { diskNames, Manifest } from "./manifest.ts"

const secretRefusal = new ExportRefused({
  detail:
    "the workspace had secrets, and the snapshot may have their values, which the importing host does not remove from output",
  paths: [],
  next: [option("A person can allow that", "allow_secrets", true)]
})

/** The programs that ran. Undefined states have none. */
const commandsOf = ({ captured: { residents } }: Saved["record"]) => {
  const stored = residents[execKind.key]
  const decoded = stored === undefined ? undefined : decodeState(execKind, "", stored)
  return decoded?._tag === "Success" ? decoded.success : []
}

const memoryNames = ({ directory, frozen }: SavedFolder) => [
  "state",
  "mem",
  ...diffsOf(frozen.memoryPath).map((file) => file.slice(directory.length + 1))
]

/** Facts that another host needs. Secrets, pushed files, output, services and ports are left out. */
const manifestOf = (saved: Saved, folder: SavedFolder, diskOnly: boolean): Manifest => {
  const { captured, hasNetwork, name, workspace } = saved.record
  const { cwd, diskMib, driver = "qemu", env, environment, image, memoryMib, user, vcpuCount } = workspace
  const { workspaceUser } = workspace
  const { layers, takenAtMs } = captured
  const memory = diskOnly ? undefined : captured.memory
  const names = [...memory === undefined ? [] : memoryNames(folder), ...diskNames({ driver, layers })]
  return {
    format: 1,
    name,
    hasNetwork,
    hadSecrets: savedInfo(saved).holdsSecrets,
    environment,
    vcpuCount,
    memoryMib,
    diskMib,
    driver,
    workspaceUser,
    ...(user === undefined ? {} : { user }),
    ...(image === undefined ? {} : { image }),
    ...(env === undefined ? {} : { env }),
    ...(cwd === undefined ? {} : { cwd }),
    takenAtMs,
    layers,
    ...(memory === undefined ? {} : {
      memory: {
        identity: memory.identity,
        pauseMs: memory.pauseMs,
        commands: commandsOf(saved.record).map(({ start: { command, id, startedAt, stdin, tty } }) => ({
          id,
          command,
          startedAt,
          ...(tty === undefined ? {} : { tty }),
          ...(stdin === undefined ? {} : { stdin })
        }))
      }
    }),
    files: names.map((file) => ({ name: file, size: fileBytes(`${folder.directory}/${file}`) }))
  }
}

interface Part {
  readonly path: string
  readonly data: ReadonlyArray<Extent>
}

const bytesOf = (head: Buffer, parts: ReadonlyArray<Part>) =>
  parts.reduce(
    (sum, { data }) => data.reduce((all, { end, start }) => all + bytesOfExtent(start, end), sum + PIECE_HEAD_BYTES),
    head.length + DIGEST_BYTES
  )

/** Writes the whole archive, and gives its digest. */
const writeArchive = (
  head: Buffer,
  parts: ReadonlyArray<Part>,
  file: Pick<SparsePut, "write">,
  progress: (bytes: number) => Effect.Effect<unknown>
) =>
  Effect.gen(function*() {
    const hash = createHash("sha256")
    const write = (bytes: Buffer) => Effect.suspend(() => (hash.update(bytes), file.write(bytes)))
    yield* write(head)
    for (const { data, path } of parts) {
      const fd = yield* openUnfollowed(path)
      for (const { end, start } of data) {
        for (const { length, offset } of piecesOf(start, end)) {
          const bytes = Buffer.alloc(length)
          yield* fillFrom({ fd, path }, bytes, offset)
          yield* write(pieceHead(offset, length))
          yield* write(bytes)
          yield* progress(length)
        }
      }
      yield* write(pieceHead(0, 0))
    }
    const digest = hash.digest()
    yield* file.write(digest)
    return digest.toString("hex")
  })

/** Further links to the snapshot's files, which stay if the snapshot is deleted. The Scope removes them. */
const hold = ({ registry }: Lifecycle, name: string) =>
  Effect.gen(function*() {
    const folder = yield* namelessFolder
    yield* Effect.addFinalizer(() => discardFolder(folder.directory))
    const linked = Effect.tap(findSaved(name), (saved) => linkTree(saved.folder.directory, folder.directory))
    return { folder, saved: yield* registry.savedLock.withPermits(1)(linked) }
  })

/** Exports a saved snapshot as one file of the host, whole or not at all. */
export const exportSaved = (
  lifecycle: Lifecycle,
  payload: SavedExportPayload,
  notify: Notify
) =>
  Effect.gen(function*() {
    const output = yield* outputOf(payload.output)
    const { folder, saved } = yield* hold(lifecycle, payload.name)
    if (savedInfo(saved).holdsSecrets && payload.allowSecrets !== true) return yield* secretRefusal
    const manifest = manifestOf(saved, folder, payload.diskOnly === true)
    const head = archiveHead(yield* Effect.orDie(Schema.encodeEffect(Manifest)(manifest)))
    const parts = yield* Effect.forEach(manifest.files, ({ name, size }) => {
      const path = `${folder.directory}/${name}`
      // A hole at the end of a file may be listed beyond its size.
      return Effect.map(dataOf(path), (data): Part => ({
        path,
        data: data.map(({ end, start }) => ({ start, end: Math.min(end, size) }))
      }))
    })
    const bytes = bytesOf(head, parts)
    const written = Effect.gen(function*() {
      const file = yield* putImage(output, payload, bytes)
      const progress = yield* progressOf({ bytes, files: 1 }, (notice) => Effect.sync(() => notify(notice)))
      const sha256 = yield* writeArchive(head, parts, file, progress.bytes)
      yield* file.endFile
      const { made, replaced } = yield* file.commit
      if (made !== undefined) notify({ _tag: "Notice", level: "hint", message: madeNote(made) })
      const event: SavedExportEvent = {
        _tag: "Exported",
        output: output.path,
        kind: manifest.memory === undefined ? "disk" : "memory",
        bytes,
        sha256,
        replaced: replaced.length > 0
      }
      return event
    })
    return yield* Effect.catchTags(written, {
      PutFailed: refused(output, bytes),
      FileFailed: (failure) => Effect.fail(toHostError(failure))
    })
  }).pipe(Effect.scoped)
